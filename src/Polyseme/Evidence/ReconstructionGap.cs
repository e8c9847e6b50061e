namespace Polyseme.Evidence;

/// <summary>How well a network gives back what went in.</summary>
/// <param name="SeenFvu">Fraction of the input variance unexplained on the items it was trained on.</param>
/// <param name="FreshFvu">The same on items it never saw.</param>
/// <param name="SeenItems">Items trained on.</param>
public sealed record Reconstruction(double SeenFvu, double FreshFvu, int SeenItems);

/// <summary>
/// Memorised or represented: a network that gives back what it was trained on and nothing else stores items, however its hidden layer looks.
/// </summary>
/// <remarks>Henighan et al. 2023, "Superposition, Memorization, and Double Descent": train against test loss over the size of the training set.</remarks>
public static class ReconstructionGap
{
    /// <summary>Fresh less seen FVU: 0 when what is learned on items holds for others, 1 when it is worth nothing there.</summary>
    public static double Of(Reconstruction reconstruction) => reconstruction.FreshFvu - reconstruction.SeenFvu;

    /// <summary>Whether items are given back and others are not: seen below .1, fresh above .9.</summary>
    public static bool IsMemory(Reconstruction reconstruction) => reconstruction is { SeenFvu: < 0.1, FreshFvu: > 0.9 };
}
