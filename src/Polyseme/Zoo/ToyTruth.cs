using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>What is true of a trained toy model without a privileged basis: it follows from where its directions ended.</summary>
internal static class ToyTruth
{
    /// <summary>The truth of a model.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="w">Its trained directions. Shape: <c>[n_features, n_hidden]</c>.</param>
    public static GroundTruth Of(ToyModelsConfig config, Matrix w)
    {
        // A linear model of equally important features spreads each over the whole space, none near unit norm: half of the longest counts there.
        var above = config.OutputRelu
            ? FeatureGeometry.RepresentedSquaredNorm
            : 0.5 * Enumerable.Range(0, w.Rows).Max(i => FeatureGeometry.SquaredNorm(w, i));
        var represented = FeatureGeometry.Represented(w, above);
        var (lines, rays) = FeatureGeometry.Count(w, represented);
        var truth =
            lines > config.Hidden ? Superposed(config, represented.Length, lines)
            : represented.Length > config.Hidden ? Opposite(config, represented.Length, lines, rays)
            : Rotated(config, represented.Length, lines);
        return truth with { Directions = w, NLine = lines, NRay = rays };
    }

    private static GroundTruth Superposed(ToyModelsConfig config, int represented, int lines) =>
        new()
        {
            Cause = Cause.Superposition,
            // More independent non-Gaussian lines than the rank: their number is identifiable from activations alone. Features that share a
            // switch are not independent, and the sector that an active group fills has no lines in it that could be found.
            Accepted = Levels(config.GroupSize == 1 ? ["superposition"] : ["superposition", "undetermined"], ["superposition"]),
            Reason =
                $"{represented} features are represented along {lines} lines in {config.Hidden} dimensions; {Drawn(config)}, so rows with several active ones are sums of directions.",
        };

    private static GroundTruth Opposite(ToyModelsConfig config, int represented, int lines, int rays) =>
        new()
        {
            Cause = Cause.Superposition,
            Accepted = Levels(["superposition", "rotated", "undetermined"], ["superposition", "rotated"]),
            Subtypes = ["relu_linear"],
            Reason =
                $"{represented} features are represented along {lines} lines in {config.Hidden} dimensions: superposition in the strict count, since more features than dimensions are written linearly; but the {rays} rays are no more than the {2 * config.Hidden} that a ReLU can tell apart without interference, so rotated in the ReLU-linear sense. From activations alone a pair of opposite features is one source with a sign.",
        };

    private static GroundTruth Rotated(ToyModelsConfig config, int represented, int lines) =>
        new()
        {
            Cause = Cause.Rotated,
            Accepted = Levels(["rotated", "undetermined"], ["rotated"]),
            Reason =
                $"only {represented} features are represented, along {lines} lines in {config.Hidden} dimensions that no axis is special in: nothing is in superposition.",
        };

    private static Dictionary<AccessLevel, IReadOnlyList<string>> Levels(string[] activations, string[] concepts) =>
        activations.SequenceEqual(concepts)
            ? new() { [AccessLevel.A] = activations }
            : new() { [AccessLevel.A] = activations, [AccessLevel.C] = concepts };

    private static string Drawn(ToyModelsConfig config) =>
        config switch
        {
            { GroupSize: 1 } => "they are drawn independently",
            { GroupRule: "together" } => $"groups of {config.GroupSize} switch on together, independently of other groups",
            _ => $"one of each group of {config.GroupSize} is active at a time, independently of other groups",
        };
}
