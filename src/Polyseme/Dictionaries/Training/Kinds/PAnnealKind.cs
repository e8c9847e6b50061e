namespace Polyseme.Dictionaries.Training;

/// <summary>ReLU with an Lp penalty whose p falls from 1: mean Σ(x̂ − x)² + λ_p·mean Σ f_i^p, the decoder's rows at unit norm.</summary>
/// <remarks>
/// Karvonen et al. 2024 (arXiv 2408.00113), p-annealing. p is 1 until <see cref="From"/> of the steps and falls linearly to
/// <see cref="EndP"/> at <see cref="Until"/>. λ is not rescaled as p falls. The gradient of f^p at 0 has no bound, so f + <see cref="Floor"/> is raised.
/// </remarks>
public sealed record PAnnealKind : DictionaryKind
{
    /// <summary>λ.</summary>
    public double L1
    {
        get;
        init => field = Allowed.Between(value, 0, 1e6);
    } = 0.1;

    /// <summary>The last p.</summary>
    public double EndP
    {
        get;
        init => field = Allowed.Between(value, 0.01, 1);
    } = 0.2;

    /// <summary>Share of the steps at which p begins to fall.</summary>
    public double From
    {
        get;
        init => field = Allowed.Between(value, 0, 1);
    } = 0.2;

    /// <summary>Share of the steps at which p is at its end.</summary>
    public double Until
    {
        get;
        init => field = Allowed.Between(value, 0, 1);
    } = 1;

    /// <summary>What is added to f under the power.</summary>
    public double Floor
    {
        get;
        init => field = Allowed.Between(value, 1e-9, 1);
    } = 1e-3;

    internal override string Name => "p-anneal";

    internal override bool NeedsUnitNorm => true;

    internal override void Check(DictionaryConfig config)
    {
        if (From > Until)
            throw new ArgumentException($"p falls from {From} of the steps until {Until}, which is earlier", nameof(config));
    }

    /// <summary>p at a step.</summary>
    internal double PowerAt(long step, DictionaryConfig config)
    {
        var share = (double)step / config.Steps;
        return share <= From ? 1
            : share >= Until ? EndP
            : 1 - ((1 - EndP) * (share - From) / (Until - From));
    }

    internal override LossTerms Loss(LossInput input)
    {
        var latents = input.PreActivations().relu();
        var reconstruction = input.Decode(latents);
        var p = PowerAt(input.Step, input.Config);
        var penalty = ((latents + Floor).pow(p) - Math.Pow(Floor, p)).sum(1).mean();
        return new(input.SquaredError(reconstruction) + (L1 * input.Sparsity * penalty), latents, reconstruction);
    }

    internal override LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold) =>
        new LatentActivation.Relu();
}
