using Polyseme.Activations;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Evidence;

public sealed class SignalSubspaceTests
{
    [Fact]
    public void A_drop_onto_a_flat_floor_is_the_rank()
    {
        var (rank, gap) = SignalSubspace.RankAboveNoise([10, 9, 0.1, 0.1, 0.1], 10_000, new SignalSubspaceConfig());
        Assert.Equal(2, rank);
        Assert.Equal(90, gap, 1e-9);
    }

    [Theory]
    [InlineData(new[] { 1.0, 1, 1, 1 }, 4)]
    [InlineData(new[] { 8.0, 4, 2, 1 }, 4)]
    [InlineData(new[] { 8.0, 4, 1e-9, 1e-10 }, 2)]
    public void Without_a_floor_the_rank_is_numerical(double[] spectrum, int rank) =>
        Assert.Equal((rank, 1.0), SignalSubspace.RankAboveNoise(spectrum, 10_000, new SignalSubspaceConfig()));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public void Low_rank_data_in_noise_has_its_rank(int rank)
    {
        var random = new RandomStream(1, "low-rank");
        // Loadings of ±1 give every neuron the same signal, so that the noise stays flat when neurons are standardised.
        var loadings = random.NormalMatrix(rank, 20);
        for (var i = 0; i < loadings.Data.Length; i++)
            loadings.Data[i] = Math.Sign(loadings.Data[i]);
        var rows = LinearAlgebra.Multiply(random.NormalMatrix(2_000, rank), loadings);
        for (var i = 0; i < rows.Data.Length; i++)
            rows.Data[i] += 0.02 * random.NextNormal();
        Assert.Equal(rank, PlantedLayers.Subspace(rows).Rank);
    }

    [Fact]
    public void Whitened_rows_have_mean_zero_and_unit_covariance_and_give_the_layer_back()
    {
        var rows = PlantedLayers.Gaussian(1_000, 5);
        var subspace = PlantedLayers.Subspace(rows);
        var covariance = LinearAlgebra.TransposeMultiply(subspace.Whitened, subspace.Whitened);
        for (var a = 0; a < 5; a++)
        {
            Assert.Equal(0, subspace.Whitened.Column(a).Average(), 1e-9);
            for (var b = 0; b < 5; b++)
                Assert.Equal(a == b ? 1 : 0, covariance[a, b] / 1_000, 1e-8);
        }
        var back = LinearAlgebra.MultiplyTranspose(subspace.Whitened, subspace.Loadings);
        for (var i = 0; i < 1_000; i++)
        for (var j = 0; j < 5; j++)
            Assert.Equal(rows[i, j], (back[i, j] * subspace.Scale[j]) + subspace.Mean[j], 1e-5); // single precision
        Assert.Equal(1, subspace.Captured, 1e-9);
        var principal = subspace.PrincipalRows();
        Assert.Equal(1, principal.Data.Sum(value => value * value) / principal.Rows, 1e-8);
    }

    [Fact]
    public void Scaling_and_shifting_neurons_changes_neither_spectrum_nor_rank()
    {
        var rows = PlantedLayers.Gaussian(500, 4);
        var moved = rows.Copy();
        for (var i = 0; i < rows.Rows; i++)
        for (var j = 0; j < 4; j++)
            moved[i, j] = (rows[i, j] * Math.Pow(16, j)) + j;
        var (plain, changed) = (PlantedLayers.Subspace(rows), PlantedLayers.Subspace(moved));
        Assert.Equal(plain.Rank, changed.Rank);
        for (var k = 0; k < 4; k++)
            Assert.Equal(plain.Spectrum[k], changed.Spectrum[k], 1e-5); // single precision
    }

    [Fact]
    public void Equal_uncorrelated_neurons_take_part_equally()
    {
        // All sign patterns of five bits: exactly uncorrelated, exactly equal variance.
        var signs = new Matrix(32, 5);
        for (var i = 0; i < 32; i++)
        for (var j = 0; j < 5; j++)
            signs[i, j] = (i >> j & 1) == 1 ? 1 : -1;
        var subspace = PlantedLayers.Subspace(signs);
        Assert.Equal(5, subspace.ParticipationRatio, 1e-9);
        Assert.All(subspace.Spectrum, value => Assert.Equal(1, value, 1e-9));
    }

    [Fact]
    public void Constant_neurons_are_dead_and_copies_add_no_rank()
    {
        var rows = PlantedLayers.Gaussian(300, 4).SelectColumns([0, 1, 2, 3, 0, 1]);
        for (var i = 0; i < 300; i++)
            rows[i, 2] = 3.3;
        var subspace = PlantedLayers.Subspace(rows);
        Assert.Equal([0, 1, 3, 4, 5], subspace.Live);
        Assert.Equal(3, subspace.Rank);
    }

    [Fact]
    public void What_does_not_vary_has_no_subspace()
    {
        var config = new SignalSubspaceConfig();
        Assert.Null(SignalSubspace.Find(ActivationSet.FromMatrix(new Matrix(50, 3)), config));
        Assert.Null(SignalSubspace.Find(ActivationSet.FromMatrix(PlantedLayers.Gaussian(1, 3)), config));
    }
}
