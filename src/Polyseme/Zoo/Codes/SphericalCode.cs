using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Codes;

/// <summary>Unit vectors that keep their distance.</summary>
/// <param name="Directions">As rows of norm one. Shape: <c>[n, d]</c>.</param>
/// <param name="MaxCosine">The largest cosine of two of them; of lines, its absolute value.</param>
/// <param name="Starts">Random starts that were tried.</param>
public sealed record SphericalCode(Matrix Directions, double MaxCosine, int Starts)
{
    private const int Wave = 4;

    /// <summary>The smallest angle between two of them, degrees.</summary>
    public double Degrees => Math.Acos(Math.Clamp(MaxCosine, -1, 1)) * 180 / Math.PI;

    /// <summary>Random directions, uniform on the sphere.</summary>
    public static SphericalCode Random(int dimension, int count, bool lines, RandomStream stream)
    {
        var code = stream.NormalMatrix(count, dimension);
        for (var i = 0; i < count; i++)
        {
            var row = code.Row(i);
            System.Numerics.Tensors.TensorPrimitives.Divide(row, System.Numerics.Tensors.TensorPrimitives.Norm<double>(row), row);
        }
        return new SphericalCode(code, Largest(code, lines), 1);
    }

    /// <summary>Random lines one after the other, each kept when its |cosine| with all before it is at most ε, until too many in a row are not.</summary>
    /// <param name="dimension">d.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="rejections">Rejections in a row that end it.</param>
    /// <param name="stream">Randomness.</param>
    /// <param name="atMost">Lines that are enough.</param>
    public static SphericalCode Greedy(int dimension, double epsilon, int rejections, RandomStream stream, int atMost = int.MaxValue)
    {
        var kept = new List<double[]>();
        var candidate = new double[dimension];
        var inARow = 0;
        while (inARow < rejections && kept.Count < atMost)
        {
            var norm = 0.0;
            for (var k = 0; k < dimension; k++)
            {
                candidate[k] = stream.NextNormal();
                norm += candidate[k] * candidate[k];
            }
            norm = Math.Sqrt(norm);
            var free = true;
            for (var i = 0; i < kept.Count && free; i++)
                free = Math.Abs(System.Numerics.Tensors.TensorPrimitives.Dot<double>(kept[i], candidate)) <= epsilon * norm;
            if (free)
                kept.Add([.. candidate.Select(value => value / norm)]);
            inARow = free ? 0 : inARow + 1;
        }
        var code = Matrix.FromRows([.. kept]);
        return new SphericalCode(code, Largest(code, lines: true), 1);
    }

    /// <summary>
    /// The best of several random starts, each driven apart by log Σ u^−s / s with u = 1 − cos (lines: 1 − cos²), s growing until only the
    /// closest pairs count.
    /// </summary>
    /// <param name="dimension">d.</param>
    /// <param name="count">N, at least 2.</param>
    /// <param name="lines">Whether v and −v are the same.</param>
    /// <param name="starts">Random starts at most.</param>
    /// <param name="steps">Steps each.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="enough">A proven bound: within 1e-5 of it no start can be much better, and the search ends.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public static SphericalCode Optimise(
        int dimension,
        int count,
        bool lines,
        int starts,
        int steps,
        ulong seed,
        double enough,
        CancellationToken cancellation
    )
    {
        SphericalCode? best = null;
        // Starts go in waves of a fixed size, so that how many are tried does not depend on which of them ends first.
        for (var first = 0; first < starts; first += Wave)
        {
            var wave = new SphericalCode[Math.Min(Wave, starts - first)];
            Parallel.For(
                0,
                wave.Length,
                new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
                i =>
                {
                    var stream = new RandomStream(seed, $"code/{dimension}/{count}/{(lines ? "lines" : "rays")}/{first + i}");
                    wave[i] = Repel(stream.NormalMatrix(count, dimension), lines, steps, cancellation);
                }
            );
            var found = wave.MinBy(code => code.MaxCosine)!;
            best = (best is null || found.MaxCosine < best.MaxCosine ? found : best) with { Starts = first + wave.Length };
            if (best.MaxCosine <= enough + 1e-5)
                break;
        }
        return best!;
    }

    /// <summary>The largest (absolute) cosine of two rows.</summary>
    public static double Largest(Matrix directions, bool lines)
    {
        var largest = lines ? 0.0 : -1;
        for (var i = 0; i < directions.Rows; i++)
        {
            for (var j = i + 1; j < directions.Rows; j++)
            {
                var cosine = FeatureGeometry.Cosine(directions, i, j);
                largest = Math.Max(largest, lines ? Math.Abs(cosine) : cosine);
            }
        }
        return largest;
    }

    private static SphericalCode Repel(Matrix start, bool lines, int steps, CancellationToken cancellation)
    {
        const double firstPower = 2,
            lastPower = 1e6,
            highestRate = 0.05;
        var descent = new GramDescent(start, unitNorm: true);
        for (var step = 0; step < steps; step++)
        {
            if (step % 64 == 0)
                cancellation.ThrowIfCancellationRequested();
            var power = firstPower * Math.Pow(lastPower / firstPower, (double)step / steps);
            // The valley is as wide as 1/s.
            descent.Step(new RepulsionLoss(power, lines), Math.Min(highestRate, 0.5 / power));
        }
        var code = descent.Directions;
        return new SphericalCode(code, Largest(code, lines), 1);
    }
}

/// <summary>log(Σ_{i≠j} u_ij^−s) / s, u = 1 − cos or, for lines, 1 − cos²: as s grows, minus the logarithm of the smallest u.</summary>
/// <param name="power">s.</param>
/// <param name="lines">Whether signs do not count.</param>
internal sealed class RepulsionLoss(double power, bool lines) : GramLoss
{
    /// <summary>Keeps coinciding directions finite.</summary>
    private const double Closest = 1e-9;

    public override double Evaluate(ReadOnlySpan<double> gram, Span<double> derivative, int n)
    {
        // log u first, so that no power overflows.
        var highest = double.NegativeInfinity;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var cosine = gram[(i * n) + j];
                var energy = -power * Math.Log(Math.Max(Closest, 1 - (lines ? cosine * cosine : cosine)));
                derivative[(i * n) + j] = energy;
                highest = Math.Max(highest, energy);
            }
        }
        var sum = 0.0;
        for (var i = 0; i < n; i++)
        {
            derivative[(i * n) + i] = 0;
            for (var j = 0; j < i; j++)
            {
                var below = derivative[(i * n) + j] - highest;
                // e^−40 of the nearest pair moves nothing.
                var weight = below < -40 ? 0 : Math.Exp(below);
                derivative[(i * n) + j] = weight;
                sum += 2 * weight;
            }
        }
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var (cosine, weight) = (gram[(i * n) + j], derivative[(i * n) + j] / sum);
                var force = lines ? 2 * cosine * weight / Math.Max(Closest, 1 - (cosine * cosine)) : weight / Math.Max(Closest, 1 - cosine);
                derivative[(i * n) + j] = force;
                derivative[(j * n) + i] = force;
            }
        }
        return (highest + Math.Log(sum)) / power;
    }
}
