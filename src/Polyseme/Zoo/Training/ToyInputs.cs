namespace Polyseme.Zoo.Training;

/// <summary>Where the inputs of a toy model come from.</summary>
public abstract record ToyInputs
{
    private ToyInputs() { }

    /// <summary>
    /// Fresh inputs at every step: features come in groups that switch on together, with probability <paramref name="Density"/>, and an
    /// active feature is uniform in [0, 1), independently of the others of its group.
    /// </summary>
    /// <param name="Density">Probability that a group is active, 1 − S. In (0, 1].</param>
    /// <param name="GroupSize">Features per group: 1 = independent features, 2 = correlated pairs.</param>
    public sealed record Fresh(double Density, int GroupSize = 1) : ToyInputs;

    /// <summary>A fixed set of data points.</summary>
    /// <param name="Rows">The points.</param>
    /// <param name="WholeSetEveryStep">Whether each step sees all of them in order, or a batch drawn with replacement.</param>
    public sealed record DataSet(SparseRows Rows, bool WholeSetEveryStep) : ToyInputs;
}
