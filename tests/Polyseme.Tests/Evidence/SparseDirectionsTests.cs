using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Evidence;

public sealed class SparseDirectionsTests
{
    [Fact]
    public void A_perfect_reconstruction_leaves_nothing_and_the_mean_leaves_everything()
    {
        var rows = PlantedLayers.Gaussian(50, 3);
        Assert.Equal(0, SparseDirections.Fvu(rows, rows));
        var mean = new Matrix(50, 3);
        for (var j = 0; j < 3; j++)
        {
            var average = rows.Column(j).Average();
            for (var i = 0; i < 50; i++)
                mean[i, j] = average;
        }
        Assert.Equal(1, SparseDirections.Fvu(rows, mean), 1e-12);
        Assert.Equal(0, SparseDirections.Fvu(new Matrix(5, 2), new Matrix(5, 2))); // nothing to explain
    }

    [Fact]
    public void Lines_are_counted_up_to_sign()
    {
        var directions = Matrix.FromRows([1, 0], [-1, 0], [0, 1], [Math.Cos(0.1), Math.Sin(0.1)]);
        Assert.Equal(3, SparseDirections.LinesOf(directions, 0.999)); // cos .1 = .995
        Assert.Equal(2, SparseDirections.LinesOf(directions, 0.99));
        Assert.Equal(0, SparseDirections.LinesOf(new Matrix(0, 2), 0.9));
    }

    [Fact]
    public void Planted_directions_are_found_by_both_dictionaries_and_hold_for_unseen_rows()
    {
        var measures = MeasuredLayer.Superposed.Measures;
        var sparse = measures.Sparse!;
        Assert.True(sparse.Best.Agreement > sparse.AgreementNull.Mean + 0.2, $"{sparse.Best.Agreement}, null {sparse.AgreementNull.Mean}");
        Assert.True(sparse.Transfers, $"{sparse.Transfer}");
        Assert.InRange(sparse.Lines, 17, 60); // 48 are there; more than 16 is what no invertible map can hold
        var planted = InPrincipalCoordinates(measures.Subspace!, PlantedLayers.Directions(48, 16, 3));
        var cosines = LinearAlgebra.MultiplyTranspose(sparse.Directions, planted);
        var right = Enumerable.Range(0, cosines.Rows).Count(i => cosines.Row(i).ToArray().Max() > 0.9);
        Assert.True(right >= 0.8 * cosines.Rows, $"{right} of {cosines.Rows} directions are planted ones");
    }

    [Fact]
    public void Directions_of_noise_explain_no_unseen_rows()
    {
        foreach (var layer in new[] { MeasuredLayer.Gaussian, MeasuredLayer.FlatGaussian, MeasuredLayer.Student })
            Assert.False(layer.Measures.Sparse!.Transfers, $"{layer.Measures.Sparse.Transfer}");
    }

    [Fact]
    public void What_is_learned_on_stored_items_is_worth_nothing_on_others() =>
        Assert.True(MeasuredLayer.Items.Measures.Sparse!.Transfer > 0.85, $"{MeasuredLayer.Items.Measures.Sparse.Transfer}");

    /// <summary>Where unit directions of the neurons lie in the coordinates of the dictionary, scaled to unit length.</summary>
    private static Matrix InPrincipalCoordinates(SignalSubspace subspace, Matrix directions)
    {
        var mapped = directions.Copy();
        for (var i = 0; i < mapped.Rows; i++)
        for (var j = 0; j < mapped.Columns; j++)
            mapped[i, j] /= subspace.Scale[j];
        mapped = LinearAlgebra.Multiply(mapped, subspace.Loadings);
        var scale = subspace.PrincipalScale();
        for (var i = 0; i < mapped.Rows; i++)
        {
            var row = mapped.Row(i);
            var norm = 0.0;
            for (var k = 0; k < row.Length; k++)
            {
                row[k] *= scale[k] / subspace.Spectrum[k];
                norm += row[k] * row[k];
            }
            for (var k = 0; k < row.Length; k++)
                row[k] /= Math.Sqrt(norm);
        }
        return mapped;
    }
}
