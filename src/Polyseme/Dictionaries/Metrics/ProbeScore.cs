namespace Polyseme.Dictionaries.Metrics;

/// <summary>How well predicted labels agree with the true ones.</summary>
/// <param name="Accuracy">Share of rows that are right, in [0, 1].</param>
/// <param name="Precision">Share of predicted positives that are, in [0, 1]; <c>null</c> without any.</param>
/// <param name="Recall">Share of positives that are predicted, in [0, 1]; <c>null</c> without any.</param>
/// <param name="F1">2·TP / (predicted + positive), in [0, 1]; 0 where both are empty.</param>
public sealed record ProbeScore(double Accuracy, double? Precision, double? Recall, double F1)
{
    /// <summary>Counts.</summary>
    /// <exception cref="ArgumentException">The lengths differ or are 0.</exception>
    public static ProbeScore Of(ReadOnlySpan<bool> predicted, ReadOnlySpan<bool> labels)
    {
        if (predicted.Length != labels.Length || labels.Length == 0)
            throw new ArgumentException($"{predicted.Length} predictions do not fit {labels.Length} labels", nameof(predicted));
        int right = 0,
            both = 0,
            said = 0,
            positive = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            right += predicted[i] == labels[i] ? 1 : 0;
            both += predicted[i] && labels[i] ? 1 : 0;
            said += predicted[i] ? 1 : 0;
            positive += labels[i] ? 1 : 0;
        }
        return new ProbeScore(
            (double)right / labels.Length,
            said == 0 ? null : (double)both / said,
            positive == 0 ? null : (double)both / positive,
            said + positive == 0 ? 0 : 2.0 * both / (said + positive)
        );
    }
}
