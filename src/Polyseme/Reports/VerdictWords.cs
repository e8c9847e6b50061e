using Polyseme.Reports.Markup;
using Polyseme.Verdicts;

namespace Polyseme.Reports;

/// <summary>A verdict in a sentence that names the counts it rests on.</summary>
internal static class VerdictWords
{
    /// <summary>The judge's own reason where it gave one; else what the verdict says of this layer, with its counts.</summary>
    public static string Sentence(LayerVerdict layer)
    {
        var sentence = layer.Reason ?? Said(layer);
        // The judge's reasons are clauses; here they stand alone.
        sentence = sentence.Length == 0 ? Said(layer) : char.ToUpperInvariant(sentence[0]) + sentence[1..];
        if (sentence[^1] is not ('.' or '!' or '?'))
            sentence += ".";
        return layer.ReasonCode is { } code ? $"{sentence} (reason code: {code})" : sentence;
    }

    private static string Said(LayerVerdict layer)
    {
        string d = NumberText.Count(layer.D),
            r = NumberText.Estimate(layer.R),
            lines = NumberText.Estimate(layer.NLine);
        var counted = layer.NLine is not null && layer.R is not null;
        return layer.Verdict switch
        {
            "monosemantic" => $"Most of the {d} neurons carry one feature each, or one group of related ones.",
            "rotated" => counted
                ? $"{lines} feature directions fit into the {r} dimensions in use: one linear map takes them apart, but the neurons mix them."
                : "One linear map takes the features apart, but the neurons mix them.",
            "superposition" => counted
                ? $"{lines} feature directions share {r} dimensions, and they add: directions learned on some rows explain the others."
                : "More feature directions than dimensions share this layer, and they add.",
            "nonlinear" =>
                "Information can be decoded that no linear, ReLU-linear or sparse-code read-out gets: adding or scaling directions does not explain it.",
            "compositional" =>
                "Items can be told apart, but directions learned on some items explain new ones no better than chance. Equivalently: one feature per item.",
            "mixed" => "Two or more causes each explain a good part of the signal.",
            "undetermined" => "The evidence does not decide between the causes that remain.",
            var other => $"The verdict is {other}.",
        };
    }
}
