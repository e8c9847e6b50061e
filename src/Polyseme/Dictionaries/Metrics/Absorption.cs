using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>Whether a concept's own latents fall silent where a more particular latent speaks for them.</summary>
/// <remarks>
/// Chanin et al. 2024, "A is for absorption" (arXiv 2409.14507), in the definitions of SAEBench (Karvonen et al. 2025). Their probe is L2-regularised
/// logistic regression, and so is ours; they choose the main latents by L1 regression, we by mean difference.
/// </remarks>
public sealed record Absorption
{
    /// <summary>A latent joins the main ones while it adds more than this to the F1 of the k-sparse probe.</summary>
    public const double SplitGain = 0.03;

    /// <summary>A concept is measured when its probe's F1 is above this.</summary>
    public const double ProbeF1Above = 0.6;

    /// <summary>Absorbers' share of the probe's projection from which a row counts.</summary>
    public const double ShareAtLeast = 0.4;

    /// <summary>Least cosine of the absorber with the probe, for full absorption.</summary>
    public const double FullCosine = 0.025;

    /// <summary>Least cosine of an absorber with the probe, for the fraction.</summary>
    public const double FractionCosine = 0.1;

    /// <summary>Most absorbers of a row, for the fraction.</summary>
    public const int MostAbsorbers = 3;

    /// <summary>Most main latents.</summary>
    public const int MostMain = 10;

    private const double Silent = 1e-8;

    /// <summary>The concept's name.</summary>
    public required string Concept { get; init; }

    /// <summary>F1 of the probe on rows it was not fitted on, in [0, 1].</summary>
    public required double ProbeF1 { get; init; }

    /// <summary>The latents that stand for the concept. More than one is feature splitting.</summary>
    public required int[] MainLatents { get; init; }

    /// <summary>Rows tested: the concept holds and the probe says so.</summary>
    public required int Rows { get; init; }

    /// <summary>Mean over rows of the share that absorbers carry, in [0, 1]; lower is better. <c>null</c> where nothing could be measured.</summary>
    public required double? Fraction { get; init; }

    /// <summary>Share of rows in which all main latents are silent and one other latent carries the concept, in [0, 1]; lower is better.</summary>
    public required double? Full { get; init; }

    /// <summary>Measures one concept.</summary>
    /// <param name="concept">Its name.</param>
    /// <param name="inputs">Rows of activations with the concept's labels.</param>
    /// <param name="latents">The same rows as latents, with the same labels and division.</param>
    /// <param name="directions">Directions of the latents in the inputs' space. Shape: <c>[n_latents, d_in]</c>.</param>
    /// <exception cref="ArgumentException">A side lacks a label.</exception>
    public static Absorption Measure(string concept, ProbeData inputs, ProbeData latents, Matrix directions)
    {
        if (!inputs.IsDecidable)
            throw new ArgumentException("each side needs both labels", nameof(inputs));
        var (model, score, predicted) = SparseProbe.Probe(inputs, [.. Enumerable.Range(0, inputs.Values.Columns)]);
        var main = MainOf(latents);
        var norm = Math.Sqrt(model.Weights.Sum(weight => weight * weight));
        int[] rows = [.. inputs.Test.Where((row, i) => inputs.Labels[row] && predicted[i])];
        if (score.F1 <= ProbeF1Above || rows.Length == 0 || norm == 0)
            return new Absorption
            {
                Concept = concept,
                ProbeF1 = score.F1,
                MainLatents = main,
                Rows = rows.Length,
                Fraction = null,
                Full = null,
            };
        var probe = Array.ConvertAll(model.Weights, weight => weight / norm);
        var cosines = Cosines.Between(directions, Matrix.FromRows(probe)).Data; // [n_latents]
        var outcomes = rows.Select(row => OfRow(inputs.Values.Row(row), latents.Values.Row(row), probe, cosines, main)).ToArray();
        return new Absorption
        {
            Concept = concept,
            ProbeF1 = score.F1,
            MainLatents = main,
            Rows = rows.Length,
            Fraction = outcomes.Average(outcome => outcome.Fraction),
            Full = outcomes.Average(outcome => outcome.Full ? 1.0 : 0.0),
        };
    }

    /// <summary>The absorption of one row, given its probe and main latents.</summary>
    /// <param name="input">Shape: <c>[d_in]</c>.</param>
    /// <param name="latents">Shape: <c>[n_latents]</c>.</param>
    /// <param name="probe">Unit length. Shape: <c>[d_in]</c>.</param>
    /// <param name="cosines">Of each latent's direction with the probe. Shape: <c>[n_latents]</c>.</param>
    /// <param name="main">The main latents.</param>
    public static (double Fraction, bool Full) OfRow(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> latents,
        ReadOnlySpan<double> probe,
        ReadOnlySpan<double> cosines,
        ReadOnlySpan<int> main
    )
    {
        var projection = 0.0;
        for (var j = 0; j < probe.Length; j++)
            projection += probe[j] * input[j];
        double ofMain = 0;
        var silent = true;
        foreach (var k in main)
        {
            ofMain += latents[k] * cosines[k];
            silent &= Math.Abs(latents[k]) < Silent;
        }
        var absorbers = new List<double>();
        var (top, topProjection) = (0, double.NegativeInfinity);
        for (var k = 0; k < latents.Length; k++)
        {
            var along = latents[k] * cosines[k];
            if (along > topProjection)
                (top, topProjection) = (k, along);
            if (along > 0 && cosines[k] >= FractionCosine && !main.Contains(k))
                absorbers.Add(along);
        }
        var absorbed = absorbers.OrderDescending().Take(MostAbsorbers).Sum();
        // A probe that is not projected on has nothing to be absorbed.
        if (projection <= 0)
            return (0, false);
        double fraction;
        if (ofMain >= projection || absorbed / projection < ShareAtLeast)
            fraction = 0;
        else if (ofMain <= 0)
            fraction = 1;
        else
        {
            var taken = Math.Min(absorbed, projection - ofMain);
            fraction = taken / (taken + ofMain);
        }
        return (fraction, silent && cosines[top] >= FullCosine && topProjection / projection >= ShareAtLeast);
    }

    private static int[] MainOf(ProbeData latents)
    {
        var sizes = Enumerable.Range(1, Math.Min(MostMain, latents.Values.Columns)).ToArray();
        var order = SparseProbe.ByMeanDifference(latents, sizes[^1]);
        var (best, count) = (SparseProbe.Probe(latents, order[..1]).Score.F1, 1);
        foreach (var k in sizes.Skip(1))
        {
            var next = SparseProbe.Probe(latents, order[..k]).Score.F1;
            if (next - best <= SplitGain)
                break;
            (best, count) = (next, k);
        }
        return order[..count];
    }
}
