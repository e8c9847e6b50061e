using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Metrics;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;
using TorchSharp;

namespace Polyseme.Tests.Dictionaries.Classical;

/// <summary>Rows whose directions are known.</summary>
internal static class Planted
{
    /// <summary>Rows in single precision.</summary>
    public static FloatMatrix Single(Matrix rows) => new(rows.Rows, rows.Columns, Array.ConvertAll(rows.Data, value => (float)value));

    /// <summary>n unit directions in d dimensions, each on with probability p at [.3, 1.3).</summary>
    public static (FloatMatrix Rows, Matrix Truth) Superposed(int rows, int n, int d, double p, ulong seed = 3)
    {
        var truth = PlantedLayers.Directions(n, d, seed);
        return (Single(LinearAlgebra.Multiply(PlantedLayers.SparseFeatures(rows, n, p, seed), truth)), truth);
    }

    /// <summary>Independent Laplace sources through a random square mixing; the rows of the mixing are the directions.</summary>
    public static (FloatMatrix Rows, Matrix Truth) Mixed(int rows, int d, ulong seed = 5)
    {
        var random = new RandomStream(seed, "planted/laplace");
        var sources = new Matrix(rows, d);
        for (var i = 0; i < sources.Data.Length; i++)
            sources.Data[i] = Math.Log(1 - random.NextDouble()) - Math.Log(1 - random.NextDouble());
        var truth = random.NormalMatrix(d, d);
        return (Single(LinearAlgebra.Multiply(sources, truth)), truth);
    }

    public static DirectionRecovery Recovery(FeatureDictionary dictionary, Matrix truth, bool upToSign = false) =>
        DirectionRecovery.Measure(
            truth,
            new Matrix(dictionary.NLatents, dictionary.DOut, Array.ConvertAll(dictionary.Directions.Data, value => (double)value)),
            upToSign
        );

    public static double Fvu(FeatureDictionary dictionary, FloatMatrix rows)
    {
        using var scope = torch.NewDisposeScope();
        var inputs = torch.tensor(rows.Data, [rows.Rows, rows.Columns]);
        var sums = new ReconstructionSums(rows.Columns, 1024);
        sums.Add(rows.Data, dictionary.Reconstruct(inputs).data<float>().ToArray());
        return sums.Result().Fvu!.Value;
    }

    public static Matrix Latents(FeatureDictionary dictionary, FloatMatrix rows)
    {
        using var scope = torch.NewDisposeScope();
        var latents = dictionary.Encode(torch.tensor(rows.Data, [rows.Rows, rows.Columns])).data<float>().ToArray();
        return new Matrix(rows.Rows, dictionary.NLatents, Array.ConvertAll(latents, value => (double)value));
    }
}
