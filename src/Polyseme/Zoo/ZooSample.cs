using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Samples of inputs, and what a network does with them.</summary>
internal static class ZooSample
{
    private const int RowsAtATime = 2048;

    /// <summary>Rows from a stream of their own: no training step has seen them.</summary>
    public static SparseRows Inputs(ToyInputs inputs, int features, int rows, ulong seed, string stream)
    {
        var batch = new ToyBatch(inputs, features, rows, seed, RandomStream.LaneOf(stream));
        if (batch.IsTiled)
            return SparseRows.FromMatrix(batch.ToMatrix(0));
        batch.Make(0);
        return batch.Rows;
    }

    /// <summary>The activations at a hook, a block of rows at a time: wide sparse inputs never lie in memory whole.</summary>
    public static ActivationSet Activations(Network network, string hook, SparseRows inputs, RowIdentities? rows = null)
    {
        var width = network.Hooks.Single(candidate => candidate.Name == hook).Width;
        var values = new float[(long)inputs.Count * width];
        for (var first = 0; first < inputs.Count; first += RowsAtATime)
        {
            var block = inputs.ToMatrix(first, Math.Min(RowsAtATime, inputs.Count - first));
            var recorded = network.Run(block, [hook]).Recorded[hook];
            for (var i = 0; i < recorded.Data.Length; i++)
                values[((long)first * width) + i] = (float)recorded.Data[i];
        }
        return new ActivationSet
        {
            NSamples = inputs.Count,
            NNeurons = width,
            Values = values,
            Rows = rows ?? RowIdentities.None,
        };
    }

    /// <summary>Features as numeric concepts called <c>feature_0</c>, ….</summary>
    public static ConceptTable Features(SparseRows inputs, IReadOnlyList<int> features)
    {
        var columns = features.ToDictionary(feature => feature, _ => new double[inputs.Count]);
        for (var entry = 0; entry < inputs.Entries; entry++)
        {
            if (columns.TryGetValue(inputs.Feature[entry], out var column))
                column[inputs.Row[entry]] = inputs.Value[entry];
        }
        return new ConceptTable(
            inputs.Count,
            [.. features.Select(feature => new Concept($"feature_{feature}", ConceptKind.Numeric, columns[feature]))]
        );
    }
}
