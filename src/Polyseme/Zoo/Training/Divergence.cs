namespace Polyseme.Zoo.Training;

/// <summary>A model whose training stopped because its gradient was no longer finite.</summary>
/// <param name="Seed">Its number among the models of its run.</param>
/// <param name="Step">The step, from 0, whose gradient was not finite.</param>
public sealed record Divergence(int Seed, int Step)
{
    /// <summary>As a person would say it.</summary>
    public override string ToString() => $"seed {Seed} diverged at step {Step}";
}
