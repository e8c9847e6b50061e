using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>Boundaries crossed per unit of distance between points of different classes and of the same class.</summary>
/// <param name="Different">Mean crossings per distance, pairs of different classes.</param>
/// <param name="Same">The same, pairs of one class.</param>
/// <param name="PValue">Share of permutations of the pairs' labels whose ratio is at least as large, the observed one included.</param>
/// <param name="Pairs">Pairs of each kind.</param>
internal sealed record CrossingDensity(double Different, double Same, double PValue, int Pairs)
{
    /// <summary>Different over same.</summary>
    public double Ratio => Different / Same;
}

/// <summary>What the polytope lens measures on a ReLU network.</summary>
internal static class PolytopeMeasures
{
    /// <summary>Crossing density over random pairs of points, and a permutation test of the pairs' labels.</summary>
    public static CrossingDensity Density(ReluStack network, Matrix points, int[] classes, int pairs, RandomStream random)
    {
        const int permutations = 999;
        List<double> different = [],
            same = [];
        for (long tries = 0; (different.Count < pairs || same.Count < pairs) && tries < 10_000L * pairs; tries++)
        {
            int a = random.NextInt(points.Rows),
                b = random.NextInt(points.Rows);
            var kind = classes[a] == classes[b] ? same : different;
            if (kind.Count >= pairs || a == b)
                continue;
            var distance = System.Numerics.Tensors.TensorPrimitives.Distance<double>(points.Row(a), points.Row(b));
            kind.Add(network.Crossings(points.Row(a), points.Row(b)).Length / distance);
        }
        var ratio = different.Average() / same.Average();
        double[] all = [.. different, .. same];
        var atLeast = 1;
        for (var draw = 0; draw < permutations; draw++)
        {
            var order = random.Permutation(all.Length);
            double first = 0,
                second = 0;
            for (var i = 0; i < order.Length; i++)
            {
                if (i < different.Count)
                    first += all[order[i]];
                else
                    second += all[order[i]];
            }
            if (first / different.Count >= ratio * (second / same.Count))
                atLeast++;
        }
        return new CrossingDensity(different.Average(), same.Average(), atLeast / (permutations + 1.0), different.Count);
    }

    /// <summary>Second differences of the outputs over triples of neighbouring points, apart for triples inside one polytope and across a boundary.</summary>
    /// <returns>The largest absolute value inside; the share of the others above 1e-9; how many there are of each.</returns>
    public static (double LargestInside, double ShareAcross, int Inside, int Across) SecondDifferences(
        ReluStack network,
        int triples,
        RandomStream random
    )
    {
        const double step = 0.02;
        var points = new Matrix(3 * triples, 2);
        for (var triple = 0; triple < triples; triple++)
        {
            double x = (2 * random.NextDouble()) - 1,
                y = (2 * random.NextDouble()) - 1;
            var (sin, cos) = Math.SinCos(2 * Math.PI * random.NextDouble());
            for (var k = 0; k < 3; k++)
                (points[(3 * triple) + k, 0], points[(3 * triple) + k, 1]) = (x + ((k - 1) * step * cos), y + ((k - 1) * step * sin));
        }
        var codes = network.Codes(points);
        var output = network.Run(points).Output;
        double largest = 0;
        int inside = 0,
            across = 0,
            bent = 0;
        for (var triple = 0; triple < triples; triple++)
        {
            var at = 3 * triple;
            var second = 0.0;
            for (var j = 0; j < output.Columns; j++)
                second = Math.Max(second, Math.Abs(output[at, j] - (2 * output[at + 1, j]) + output[at + 2, j]));
            // Polytopes are convex: equal codes at both ends hold in between.
            if (codes[at].AsSpan().SequenceEqual(codes[at + 2]))
            {
                inside++;
                largest = Math.Max(largest, second);
            }
            else
            {
                across++;
                bent += second > 1e-9 ? 1 : 0;
            }
        }
        return (largest, (double)bent / Math.Max(1, across), inside, across);
    }

    /// <summary>Outputs and codes downstream when the first layer's activations are scaled, and perhaps normalised by their root mean square afterwards.</summary>
    public static (Matrix Output, Matrix Downstream) Scaled(ReluStack network, Matrix points, double scale, bool normalised)
    {
        var trace = network.Run(
            points,
            ["blocks.1.hook_pre"],
            new Dictionary<string, Func<Matrix, Matrix>>
            {
                ["blocks.0.hook_post"] = held =>
                {
                    var scaled = held.Copy();
                    for (var row = 0; row < scaled.Rows; row++)
                    {
                        var values = scaled.Row(row);
                        foreach (ref var value in values)
                            value *= scale;
                        var norm = System.Numerics.Tensors.TensorPrimitives.Norm<double>(values) / Math.Sqrt(values.Length);
                        if (normalised && norm > 0)
                        {
                            foreach (ref var value in values)
                                value /= norm;
                        }
                    }
                    return scaled;
                },
            }
        );
        return (trace.Output, trace.Recorded["blocks.1.hook_pre"]);
    }
}
