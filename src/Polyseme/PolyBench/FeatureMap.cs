using Polyseme.Evidence;
using Polyseme.Numerics;

namespace Polyseme.PolyBench;

/// <summary>Directions of features in a layer, a feature a row of unit length.</summary>
internal static class FeatureMap
{
    /// <summary>A neuron of its own each, in random order and of random sign; neurons that are left over copy others. Shape: <c>[features, neurons]</c>.</summary>
    public static Matrix Aligned(int features, int neurons, bool signs, RandomStream random)
    {
        var map = new Matrix(features, neurons);
        var order = random.Permutation(neurons);
        for (var j = 0; j < neurons; j++)
            map[j < features ? j : random.NextInt(features), order[j]] = signs && random.NextDouble() < 0.5 ? -1 : 1;
        return map;
    }

    /// <summary>Orthogonal, along no neuron in particular. Shape: <c>[features ≤ neurons, neurons]</c>.</summary>
    public static Matrix Rotated(int features, int neurons, RandomStream random) =>
        NullData.Rotation(neurons, random).SelectRows([.. Enumerable.Range(0, features)]);

    /// <summary>Invertible on their span and at angles other than right ones.</summary>
    public static Matrix Oblique(int features, int neurons, RandomStream random)
    {
        var map = Rotated(features, neurons, random);
        var aslant = Unit(random.NormalMatrix(features, neurons));
        for (var i = 0; i < map.Data.Length; i++)
            map.Data[i] += 0.5 * aslant.Data[i];
        return Unit(map);
    }

    /// <summary>Random directions.</summary>
    public static Matrix Random(int features, int neurons, RandomStream random) => Unit(random.NormalMatrix(features, neurons));

    /// <summary>Random directions after steps down Σ cos⁴, which leaves none near another.</summary>
    public static Matrix PushedApart(int features, int neurons, RandomStream random)
    {
        var map = Random(features, neurons, random);
        for (var step = 0; step < 50; step++)
        {
            var cosines = LinearAlgebra.MultiplyTranspose(map, map);
            for (var i = 0; i < cosines.Data.Length; i++)
                cosines.Data[i] *= cosines.Data[i] * cosines.Data[i];
            for (var i = 0; i < features; i++)
                cosines[i, i] = 0;
            var gradient = LinearAlgebra.Multiply(cosines, map);
            for (var i = 0; i < map.Data.Length; i++)
                map.Data[i] -= gradient.Data[i];
            map = Unit(map);
        }
        return map;
    }

    /// <summary>Groups of four that lean on one another: cosines of about .4 within.</summary>
    public static Matrix Clustered(int features, int neurons, RandomStream random)
    {
        var map = Random(features, neurons, random);
        var centres = Random((features + 3) / 4, neurons, random);
        for (var f = 0; f < features; f++)
        for (var j = 0; j < neurons; j++)
            map[f, j] += 0.82 * centres[f / 4, j];
        return Unit(map);
    }

    /// <summary>Rows of unit length.</summary>
    public static Matrix Unit(Matrix map)
    {
        for (var i = 0; i < map.Rows; i++)
        {
            var row = map.Row(i);
            var square = 0.0;
            foreach (var value in row)
                square += value * value;
            foreach (ref var value in row)
                value /= Math.Sqrt(square);
        }
        return map;
    }
}
