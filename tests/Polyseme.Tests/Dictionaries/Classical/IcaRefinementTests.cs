using Polyseme.Dictionaries.Classical;
using Polyseme.Evidence;
using Polyseme.Numerics;

namespace Polyseme.Tests.Dictionaries.Classical;

public sealed class IcaRefinementTests
{
    private const int Sources = 12;

    [Theory]
    [InlineData("rare", 800)]
    [InlineData("skewed", 1500)]
    [InlineData("flat", 800)]
    public void Components_are_nearer_to_the_sources_than_those_of_one_contrast(string density, int rows)
    {
        double before = 0,
            after = 0;
        for (var seed = 0UL; seed < 5; seed++)
        {
            var (whitened, truth) = Mixed(density, rows, seed);
            var fit = FastIca.Fit(whitened, new FastIcaConfig(), new RandomStream(seed, "tests/start"), Token);
            var refined = IcaRefinement.Refine(whitened, fit.Rotation, cancellation: Token);
            AssertOrthogonal(refined);
            (before, after) = (before + Error(fit.Rotation, truth), after + Error(refined, truth));
        }
        Assert.True(after < 0.8 * before, $"{after / 5:0.0000} after {before / 5:0.0000}");
    }

    [Fact]
    public void It_stays_where_it_is_when_started_again_and_stands_noise()
    {
        var (whitened, _) = Mixed("rare", 3000, 1);
        var fit = FastIca.Fit(whitened, new FastIcaConfig(), new RandomStream(1, "tests/start"), Token);
        var refined = IcaRefinement.Refine(whitened, fit.Rotation, maxIterations: 100, cancellation: Token);
        var again = IcaRefinement.Refine(whitened, refined, maxIterations: 1, cancellation: Token);
        for (var i = 0; i < refined.Data.Length; i++)
            Assert.Equal(refined.Data[i], again.Data[i], 0.02);
        var noise = new RandomStream(0, "tests/noise").NormalMatrix(500, Sources);
        AssertOrthogonal(IcaRefinement.Refine(noise, Matrix.Identity(Sources), cancellation: Token));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static void AssertOrthogonal(Matrix rotation)
    {
        var product = LinearAlgebra.MultiplyTranspose(rotation, rotation);
        for (var i = 0; i < rotation.Rows; i++)
        for (var j = 0; j < rotation.Rows; j++)
            Assert.Equal(i == j ? 1 : 0, product[i, j], 1e-9);
    }

    /// <summary>Mean over sources of 1 − cos² to the nearest component.</summary>
    private static double Error(Matrix rotation, Matrix truth)
    {
        var cosines = LinearAlgebra.MultiplyTranspose(truth, rotation);
        return Enumerable.Range(0, truth.Rows).Average(i => 1 - cosines.Row(i).ToArray().Max(value => value * value));
    }

    /// <summary>White rows, and where in them the sources lie: unit rows of the inverse mixing.</summary>
    private static (Matrix Whitened, Matrix Truth) Mixed(string density, int rows, ulong seed)
    {
        var random = new RandomStream(seed, $"tests/{density}");
        var sources = new Matrix(rows, Sources);
        for (var i = 0; i < sources.Data.Length; i++)
        {
            sources.Data[i] = density switch
            {
                "rare" => random.NextDouble() < 0.2 ? 0.3 + random.NextDouble() : 0,
                "skewed" => -Math.Log(1 - random.NextDouble()),
                _ => random.NextDouble(),
            };
        }
        for (var j = 0; j < Sources; j++)
        {
            var column = sources.Column(j);
            var mean = column.Average();
            var deviation = Math.Sqrt(column.Average(value => (value - mean) * (value - mean)));
            for (var i = 0; i < rows; i++)
                sources[i, j] = (sources[i, j] - mean) / deviation;
        }
        var covariance = LinearAlgebra.TransposeMultiply(sources, sources);
        for (var i = 0; i < covariance.Data.Length; i++)
            covariance.Data[i] /= rows;
        // White by C^(−½), then turned: source i lies along row i of C^½·turn, nearly of unit length.
        var (values, vectors) = LinearAlgebra.SymmetricEigen(covariance);
        Matrix Power(double exponent)
        {
            var scaled = vectors.Copy();
            for (var i = 0; i < Sources; i++)
            for (var k = 0; k < Sources; k++)
                scaled[i, k] *= Math.Pow(values[k], exponent);
            return LinearAlgebra.MultiplyTranspose(scaled, vectors);
        }
        var turn = NullData.Rotation(Sources, random);
        return (LinearAlgebra.Multiply(LinearAlgebra.Multiply(sources, Power(-0.5)), turn), LinearAlgebra.Multiply(Power(0.5), turn));
    }
}
