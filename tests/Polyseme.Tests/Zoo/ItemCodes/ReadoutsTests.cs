using Polyseme.Numerics;
using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo.ItemCodes;

public sealed class ReadoutsTests
{
    [Fact]
    public void A_linear_readout_finds_a_plane_and_an_MLP_an_XOR()
    {
        var rows = new RandomStream(1, "rows").NormalMatrix(600, 4);
        var linear = new Matrix(600, 1);
        var xor = new Matrix(600, 1);
        for (var i = 0; i < 600; i++)
        {
            linear[i, 0] = (2 * rows[i, 0]) - rows[i, 3] + 5;
            xor[i, 0] = (rows[i, 0] > 0) != (rows[i, 1] > 0) ? 1 : 0;
        }
        Assert.Equal(1, Readouts.R2(linear, Readouts.Linear(rows, linear, rows))[0], 1e-6);
        Assert.True(Readouts.MeanAuroc(Readouts.Linear(rows, xor, rows), xor) < 0.65);
        var read = Readouts.Mlp(rows, xor, [rows], 32, 300, new RandomStream(2, "mlp"), TestContext.Current.CancellationToken);
        Assert.True(Readouts.MeanAuroc(read[0], xor) > 0.99);
    }

    [Fact]
    public void Participation_counts_dimensions_that_are_filled_evenly()
    {
        var rows = new RandomStream(3, "rows").NormalMatrix(20_000, 8);
        Assert.Equal(8, Readouts.ParticipationRatio(rows), 0.05);
        for (var i = 0; i < rows.Rows; i++)
        for (var j = 3; j < 8; j++)
            rows[i, j] = 0;
        Assert.Equal(3, Readouts.ParticipationRatio(rows), 0.05);
    }

    [Fact]
    public void Whitened_rows_have_identity_covariance_on_their_rank()
    {
        var source = new RandomStream(4, "source").NormalMatrix(500, 3);
        var rows = LinearAlgebra.Multiply(source, new RandomStream(5, "map").NormalMatrix(3, 6));
        var whitened = Readouts.Whitened(rows);
        Assert.Equal(3, whitened.Columns);
        var covariance = LinearAlgebra.TransposeMultiply(whitened, whitened);
        for (var i = 0; i < 3; i++)
        for (var j = 0; j < 3; j++)
            Assert.Equal(i == j ? 500 : 0, covariance[i, j], 1e-6);
    }

    [Fact]
    public void A_constant_layer_reads_nothing()
    {
        var target = new RandomStream(6, "target").NormalMatrix(50, 1);
        var constant = new Matrix(50, 2);
        Assert.Equal(0, Readouts.R2(target, Readouts.Linear(constant, target, constant))[0], 1e-9);
    }
}
