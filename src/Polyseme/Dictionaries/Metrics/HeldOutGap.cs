namespace Polyseme.Dictionaries.Metrics;

/// <summary>Reconstruction of rows that a dictionary was fitted on beside that of rows it was not.</summary>
/// <param name="TrainFvu">Fraction of variance unexplained on the former; <c>null</c> for constant rows.</param>
/// <param name="HeldOutFvu">The same on the latter.</param>
/// <param name="Gap">Held out less train; well above 0, the dictionary remembers its rows.</param>
public sealed record HeldOutGap(double? TrainFvu, double? HeldOutFvu, double? Gap)
{
    /// <summary>Compares two measurements of one dictionary.</summary>
    public static HeldOutGap Of(Reconstruction train, Reconstruction heldOut) => new(train.Fvu, heldOut.Fvu, heldOut.Fvu - train.Fvu);
}
