using Polyseme.Dictionaries.Classical;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Dictionaries.Classical;

public sealed class SparseCoderTests
{
    [Fact]
    public void Orthogonal_directions_are_read_exactly_by_every_method()
    {
        var x = Matrix.FromRows([3, 0, -1]);
        var axes = Matrix.Identity(3);
        Assert.Equal([3, 0, -1], new SparseCoder(axes, new CodeMethod.Omp(2)).Code(x).Data);
        Assert.Equal([3, 0, 0], new SparseCoder(axes, new CodeMethod.Omp(1)).Code(x).Data);
        Assert.Equal([3, 0, -1], new SparseCoder(axes, new CodeMethod.MatchingPursuit(2)).Code(x).Data);
        Assert.Equal([2.5, 0, -0.5], new SparseCoder(axes, new CodeMethod.Lasso(0.5)).Code(x).Data); // soft threshold
        Assert.Equal([2.5, 0, 0], new SparseCoder(axes, new CodeMethod.Lasso(0.5, NonNegative: true)).Code(x).Data);
        Assert.Equal([3, 0, 0], new SparseCoder(axes, new CodeMethod.NonNegativeLeastSquares()).Code(x).Data);
        Assert.Equal([1, 0, 0], new SparseCoder(axes, new CodeMethod.Nearest()).Code(x).Data);
    }

    [Fact]
    public void Orthogonal_pursuit_refits_and_plain_pursuit_does_not()
    {
        // Two directions at 45 degrees; x = d₀ + d₁ lies in their span.
        var directions = Matrix.FromRows([1, 0], [Math.Sqrt(0.5), Math.Sqrt(0.5)]);
        var x = Matrix.FromRows([1 + Math.Sqrt(0.5), Math.Sqrt(0.5)]);
        var orthogonal = new SparseCoder(directions, new CodeMethod.Omp(2)).Code(x).Data;
        Assert.Equal(1, orthogonal[0], 1e-12);
        Assert.Equal(1, orthogonal[1], 1e-12);
        Assert.NotEqual(1, new SparseCoder(directions, new CodeMethod.MatchingPursuit(2)).Code(x).Data[0], 0.01);
    }

    [Fact]
    public void Orthogonal_pursuit_solves_least_squares_on_what_it_chose_and_leaves_a_residual_orthogonal_to_it()
    {
        var directions = PlantedLayers.Directions(40, 12, 1);
        var x = new RandomStream(2, "rows").NormalMatrix(50, 12);
        var codes = new SparseCoder(directions, new CodeMethod.Omp(5)).Code(x);
        var left = LinearAlgebra.Multiply(codes, directions);
        for (var i = 0; i < left.Data.Length; i++)
            left.Data[i] = x.Data[i] - left.Data[i];
        var products = LinearAlgebra.MultiplyTranspose(left, directions);
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(5, codes.Row(i).ToArray().Count(code => code != 0));
            for (var k = 0; k < 40; k++)
            {
                if (codes[i, k] != 0)
                    Assert.Equal(0, products[i, k], 1e-9);
            }
        }
    }

    [Fact]
    public void The_lasso_meets_its_optimality_conditions()
    {
        const double lambda = 0.3;
        var directions = PlantedLayers.Directions(30, 8, 4);
        var x = new RandomStream(5, "rows").NormalMatrix(40, 8);
        foreach (var nonNegative in new[] { false, true })
        {
            var codes = new SparseCoder(directions, new CodeMethod.Lasso(lambda, nonNegative)).Code(x);
            var left = LinearAlgebra.Multiply(codes, directions);
            for (var i = 0; i < left.Data.Length; i++)
                left.Data[i] = x.Data[i] - left.Data[i];
            var products = LinearAlgebra.MultiplyTranspose(left, directions);
            for (var i = 0; i < codes.Data.Length; i++)
            {
                var (code, product) = (codes.Data[i], products.Data[i]);
                if (code != 0)
                    Assert.Equal(lambda * Math.Sign(code), product, 1e-4);
                else
                    Assert.True((nonNegative ? product : Math.Abs(product)) <= lambda + 1e-4);
                Assert.True(!nonNegative || code >= 0);
            }
        }
    }

    [Fact]
    public void Numbers_out_of_range_are_refused()
    {
        var directions = new FloatMatrix(2, 2, [1, 0, 0, 1]);
        Assert.Throws<ArgumentException>(() => new SparseCodeDictionary(directions, new float[2], new CodeMethod.Omp(3)));
        Assert.Throws<ArgumentException>(() => new SparseCodeDictionary(directions, new float[2], new CodeMethod.Lasso(0)));
        Assert.Throws<ArgumentException>(() => new SparseCodeDictionary(directions, new float[3], new CodeMethod.Nearest()));
        Assert.Throws<ArgumentException>(() => new LinearDictionary(directions, directions, new float[3]));
    }
}
