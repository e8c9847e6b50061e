namespace Polyseme.Zoo.Training;

/// <summary>Where the inputs of a two-layer network come from: fresh at every step, each feature drawn independently of the others.</summary>
public abstract record LayerNetInputs
{
    private LayerNetInputs() { }

    /// <summary>Zero, or uniform between two numbers.</summary>
    /// <param name="Density">Probability that a feature is active. In (0, 1]; at 1 the inputs are dense.</param>
    /// <param name="Low">The lowest value of an active feature.</param>
    /// <param name="High">The highest.</param>
    public sealed record Reals(double Density, float Low, float High) : LayerNetInputs;

    /// <summary>The same with a probability for each feature.</summary>
    /// <param name="Densities">Probabilities that the features are active. In (0, 1]. Shape: <c>[n_features]</c>.</param>
    /// <param name="Low">The lowest value of an active feature.</param>
    /// <param name="High">The highest.</param>
    public sealed record UnevenReals(double[] Densities, float Low, float High) : LayerNetInputs;

    /// <summary>Zero or one.</summary>
    /// <param name="Probability">Probability of a one. In (0, 1].</param>
    public sealed record Bits(double Probability) : LayerNetInputs;
}
