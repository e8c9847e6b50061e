using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>How JumpReLU pays for latents that are on.</summary>
public enum JumpReluSparsity
{
    /// <summary>λ·mean Σ 1[z &gt; θ].</summary>
    Step,

    /// <summary>λ·mean Σ tanh(c·f_i‖W_dec,i‖).</summary>
    Tanh,

    /// <summary>λ·(L0 / target − 1)².</summary>
    Quadratic,
}

/// <summary>f = z·1[z &gt; θ] with a learned threshold θ = e^t a latent; mean Σ(x̂ − x)² + a price for what is on.</summary>
/// <remarks>
/// Rajamanoharan et al. 2024 (arXiv 2407.14435), eq. 11 and 12: with the rectangle K(u) = 1[|u| &lt; ½], ∂f/∂θ = −(θ/ε)·K((z − θ)/ε) and
/// ∂1[z &gt; θ]/∂θ = −(1/ε)·K((z − θ)/ε). ε must be of the order of the distances between pre-activations and threshold: too small, and the
/// threshold stands still.
/// </remarks>
public sealed record JumpReluKind : DictionaryKind
{
    /// <summary>λ.</summary>
    public double L0
    {
        get;
        init => field = Allowed.Between(value, 0, 1e6);
    } = 1;

    /// <summary>What is paid for.</summary>
    public JumpReluSparsity Sparsity { get; init; }

    /// <summary>ε. SAELens has .05, the paper .001.</summary>
    public double Bandwidth
    {
        get;
        init => field = Allowed.Between(value, 1e-9, 1e3);
    } = 0.05;

    /// <summary>θ at the start.</summary>
    public double StartThreshold
    {
        get;
        init => field = Allowed.Between(value, 1e-9, 1e3);
    } = 0.01;

    /// <summary>c of the tanh.</summary>
    public double TanhScale
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1e3);
    } = 4;

    /// <summary>The L0 that the quadratic price aims at.</summary>
    public double Target
    {
        get;
        init => field = Allowed.Between(value, 1e-3, 1 << 24);
    } = 20;

    /// <summary>Weight of mean Σ relu(θ − z)·‖W_dec,i‖ over dead latents, which brings them back; SAELens' pre_act_loss_coefficient.</summary>
    public double PreActivation
    {
        get;
        init => field = Allowed.Between(value, 0, 1e6);
    }

    internal override string Name => "jumprelu";

    internal override void AddWeights(DictionaryWeights weights, DictionaryConfig config)
    {
        var start = new float[config.Latents];
        Array.Fill(start, (float)Math.Log(StartThreshold));
        weights.Add("log_threshold", start, config.Latents);
    }

    internal override LossTerms Loss(LossInput input)
    {
        var threshold = input.Weights["log_threshold"].exp();
        var pre = input.PreActivations();
        var on = (pre > threshold).to_type(torch.float32).detach();
        var near = (((pre - threshold) / Bandwidth).abs() < 0.5).to_type(torch.float32).detach();
        // Worth nothing, differentiates to −(1/ε)·K with respect to θ.
        var slope = near * (threshold - threshold.detach()) * (-1 / Bandwidth);
        var latents = (pre.relu() * on) + (slope * threshold.detach());
        var reconstruction = input.Decode(latents);
        var loss = input.SquaredError(reconstruction) + (L0 * input.Sparsity * Price(input, latents, on + slope));
        if (PreActivation > 0 && input.Dead.Length > 0)
        {
            var missing = (threshold - pre).relu() * input.DecoderNorms();
            loss = loss + (PreActivation * missing.index_select(1, torch.tensor(input.Dead)).sum(1).mean());
        }
        return new(loss, latents, reconstruction);
    }

    internal override LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold) =>
        new LatentActivation.JumpRelu(Array.ConvertAll(weights.Values("log_threshold"), MathF.Exp));

    private torch.Tensor Price(LossInput input, torch.Tensor latents, torch.Tensor on) =>
        Sparsity switch
        {
            JumpReluSparsity.Step => on.sum(1).mean(),
            JumpReluSparsity.Tanh => (latents * input.DecoderNorms() * TanhScale).tanh().sum(1).mean(),
            JumpReluSparsity.Quadratic => ((on.sum(1).mean() / Target) - 1).square(),
            _ => throw new InvalidOperationException($"no such sparsity: {Sparsity}"),
        };
}
