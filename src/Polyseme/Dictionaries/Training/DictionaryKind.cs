using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>What a loss sees of a step.</summary>
/// <param name="Weights">The weights.</param>
/// <param name="Config">The configuration.</param>
/// <param name="Inputs">Shape: <c>[batch, d_in]</c>.</param>
/// <param name="Targets">What is to be reconstructed. Shape: <c>[batch, d_out]</c>.</param>
/// <param name="SubtractsBias">Whether b_dec is taken from rows before encoding.</param>
/// <param name="Step">The step, from 0.</param>
/// <param name="Dead">1 for dead latents, else 0. Shape: <c>[n_latents]</c>.</param>
/// <param name="NDead">Dead latents.</param>
internal sealed record LossInput(
    DictionaryWeights Weights,
    DictionaryConfig Config,
    torch.Tensor Inputs,
    torch.Tensor Targets,
    bool SubtractsBias,
    long Step,
    torch.Tensor Dead,
    int NDead
)
{
    public double Sparsity => Config.SparsityAt(Step);

    /// <summary>W_enc·(x − b). Shape: <c>[batch, n_latents]</c>.</summary>
    public torch.Tensor Product() => torch.mm(SubtractsBias ? Inputs - Weights.DecoderBias : Inputs, Weights.Encoder.t());

    /// <summary>z. Shape: <c>[batch, n_latents]</c>.</summary>
    public torch.Tensor PreActivations() => Product() + Weights.EncoderBias;

    /// <summary>x̂. Shape: <c>[batch, d_out]</c>.</summary>
    public torch.Tensor Decode(torch.Tensor latents)
    {
        var decoded = torch.mm(latents, Weights.Decoder) + Weights.DecoderBias;
        return Weights.Skip is { } skip ? decoded + torch.mm(Inputs, skip.t()) : decoded;
    }

    /// <summary>mean over rows of Σ (x̂ − x)².</summary>
    public torch.Tensor SquaredError(torch.Tensor reconstruction) => (reconstruction - Targets).square().sum(1).mean();

    /// <summary>‖W_dec,i‖. Shape: <c>[n_latents]</c>.</summary>
    public torch.Tensor DecoderNorms() => Weights.Decoder.square().sum(1).clamp_min(1e-16).sqrt();
}

/// <summary>What a loss came to.</summary>
/// <param name="Loss">Scalar, to be differentiated.</param>
/// <param name="Latents">f. Shape: <c>[batch, n_latents]</c>.</param>
/// <param name="Reconstruction">x̂. Shape: <c>[batch, d_out]</c>.</param>
internal readonly record struct LossTerms(torch.Tensor Loss, torch.Tensor Latents, torch.Tensor Reconstruction);

/// <summary>What kind of dictionary is trained: its activation, loss and settings of its own.</summary>
public abstract record DictionaryKind
{
    private protected DictionaryKind() { }

    /// <summary>Its id on the command line.</summary>
    internal abstract string Name { get; }

    /// <summary>Whether the penalty only means something where the rows of W_dec have unit norm.</summary>
    internal virtual bool NeedsUnitNorm => false;

    /// <summary>Throws where a setting does not fit the size of the dictionary.</summary>
    internal virtual void Check(DictionaryConfig config) { }

    /// <summary>Adds weights of its own.</summary>
    internal virtual void AddWeights(DictionaryWeights weights, DictionaryConfig config) { }

    /// <summary>The loss of a batch.</summary>
    internal abstract LossTerms Loss(LossInput input);

    /// <summary>The threshold that a batch's latents suggest, where one is followed; else <c>null</c>.</summary>
    internal virtual double? FollowThreshold(double? threshold, torch.Tensor latents, long step) => null;

    /// <summary>The activation of the trained dictionary.</summary>
    internal abstract LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold);

    private protected static void CheckK(double k, DictionaryConfig config)
    {
        if (k > config.Latents)
            throw new ArgumentException($"k is {k}, but there are {config.Latents} latents", nameof(config));
    }
}
