using Polyseme.Activations;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Verdicts;

namespace Polyseme.Tests.Verdicts;

/// <summary>Layers whose cause is known because it was put there. Deterministic: the same arguments give the same layer.</summary>
internal static class PlantedLayers
{
    /// <summary>Independent non-negative features, each zero with probability 1 − p. Shape: <c>[n_samples, n_features]</c>.</summary>
    public static Matrix SparseFeatures(int nSamples, int nFeatures, double p, ulong seed)
    {
        var random = new RandomStream(seed, "planted/features");
        var features = new Matrix(nSamples, nFeatures);
        for (var i = 0; i < features.Data.Length; i++)
            features.Data[i] = random.NextDouble() < p ? 0.3 + random.NextDouble() : 0;
        return features;
    }

    /// <summary>Rows of unit length. Shape: <c>[count, dimensions]</c>.</summary>
    public static Matrix Directions(int count, int dimensions, ulong seed)
    {
        var directions = new RandomStream(seed, "planted/directions").NormalMatrix(count, dimensions);
        for (var i = 0; i < count; i++)
        {
            var row = directions.Row(i);
            var norm = 0.0;
            foreach (var value in row)
                norm += value * value;
            for (var k = 0; k < dimensions; k++)
                row[k] /= Math.Sqrt(norm);
        }
        return directions;
    }

    /// <summary>One sparse feature of either sign to each neuron, with a little noise, so that rows in which none is active differ.</summary>
    public static Matrix Monosemantic(int nSamples, int nNeurons)
    {
        var features = SparseFeatures(nSamples, nNeurons, 0.2, 1);
        var random = new RandomStream(1, "planted/signs");
        for (var i = 0; i < features.Data.Length; i++)
            features.Data[i] = (features.Data[i] * (random.NextDouble() < 0.5 ? -1 : 1)) + (1e-3 * random.NextNormal());
        return features;
    }

    /// <summary>The same features behind a random rotation.</summary>
    public static Matrix Rotated(int nSamples, int nNeurons) =>
        LinearAlgebra.Multiply(Monosemantic(nSamples, nNeurons), NullData.Rotation(nNeurons, new RandomStream(2, "planted/rotation")));

    /// <summary>48 features, each on in three rows of a hundred, along unit directions in 16 dimensions.</summary>
    public static Matrix Superposed(int nSamples) => LinearAlgebra.Multiply(SparseFeatures(nSamples, 48, 0.03, 3), Directions(48, 16, 3));

    /// <summary>Rows without any direction of their own: Gaussian, with a covariance that is not the identity.</summary>
    public static Matrix Gaussian(int nSamples, int nNeurons, ulong seed = 4)
    {
        var random = new RandomStream(seed, "planted/gaussian");
        var mixing = random.NormalMatrix(nNeurons, nNeurons);
        return LinearAlgebra.Multiply(random.NormalMatrix(nSamples, nNeurons), mixing);
    }

    /// <summary>Student noise with five degrees of freedom: each Gaussian row divided by its own √(χ²/5).</summary>
    public static Matrix Student(int nSamples, int nNeurons)
    {
        var rows = Gaussian(nSamples, nNeurons, 5);
        var random = new RandomStream(5, "planted/student");
        for (var i = 0; i < nSamples; i++)
        {
            var chi = 0.0;
            for (var k = 0; k < 5; k++)
                chi += Math.Pow(random.NextNormal(), 2);
            foreach (ref var value in rows.Row(i))
                value /= Math.Sqrt(chi / 5);
        }
        return rows;
    }

    /// <summary>Gaussian neurons, and concepts that are the XOR of the signs of two of them.</summary>
    public static DiagnosisInput Xor(int nSamples)
    {
        var rows = new RandomStream(6, "planted/xor").NormalMatrix(nSamples, 4);
        return Given(
            rows,
            [
                .. new[] { (0, 1), (2, 3) }.Select(pair =>
                    Binary($"xor{pair.Item1}{pair.Item2}", nSamples, i => (rows[i, pair.Item1] > 0) != (rows[i, pair.Item2] > 0))
                ),
            ]
        );
    }

    /// <summary>Items with arbitrary codes, each shown several times with a little noise, and concepts that split the items at random.</summary>
    public static DiagnosisInput Items(int nItems, int rowsPerItem, int nNeurons)
    {
        var random = new RandomStream(7, "planted/items");
        var codes = random.NormalMatrix(nItems, nNeurons);
        var rows = new Matrix(nItems * rowsPerItem, nNeurons);
        var item = new long[rows.Rows];
        for (var i = 0; i < rows.Rows; i++)
        {
            item[i] = i % nItems;
            for (var j = 0; j < nNeurons; j++)
                rows[i, j] = codes[i % nItems, j] + (0.03 * random.NextNormal());
        }
        var concepts = new List<Concept>();
        for (var c = 0; c < 4; c++)
        {
            var order = random.Permutation(nItems);
            concepts.Add(Binary($"partition{c}", rows.Rows, i => order[i % nItems] < nItems / 2));
        }
        return Given(rows, concepts, new RowIdentities { Item = item });
    }

    /// <summary>Coin flips that the layer cannot know.</summary>
    public static IReadOnlyList<Concept> CoinFlips(int nSamples, int count)
    {
        var random = new RandomStream(8, "planted/coins");
        return [.. Enumerable.Range(0, count).Select(c => Binary($"coin{c}", nSamples, _ => random.NextDouble() < 0.5))];
    }

    public static Concept Binary(string name, int nSamples, Func<int, bool> holds) =>
        new(name, ConceptKind.Binary, [.. Enumerable.Range(0, nSamples).Select(i => holds(i) ? 1.0 : 0.0)]);

    public static DiagnosisInput Given(Matrix rows, IReadOnlyList<Concept>? concepts = null, RowIdentities? identities = null) =>
        new()
        {
            Activations = ActivationSet.FromMatrix(rows, identities),
            Concepts = concepts is null ? null : new ConceptTable(rows.Rows, concepts),
        };

    public static SignalSubspace Subspace(Matrix rows) =>
        SignalSubspace.Find(ActivationSet.FromMatrix(rows), new SignalSubspaceConfig())
        ?? throw new InvalidOperationException("the planted layer is constant");

    /// <summary>Every row a group of its own.</summary>
    public static RowGroups RowByRow(int nSamples) => new("row", [.. Enumerable.Range(0, nSamples)], nSamples);
}
