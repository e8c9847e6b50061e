using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>What a loss sees of a step.</summary>
/// <param name="Weights">The weights.</param>
/// <param name="Config">The configuration.</param>
/// <param name="Inputs">Shape: <c>[batch, d_in]</c>.</param>
/// <param name="Targets">What is to be reconstructed. Shape: <c>[batch, d_out]</c>.</param>
/// <param name="SubtractsBias">Whether b_dec is taken from rows before encoding.</param>
/// <param name="Step">The step, from 0.</param>
/// <param name="Dead">Dead latents, in rising order.</param>
internal sealed record LossInput(
    DictionaryWeights Weights,
    DictionaryConfig Config,
    torch.Tensor Inputs,
    torch.Tensor Targets,
    bool SubtractsBias,
    long Step,
    long[] Dead
)
{
    public double Sparsity => Config.SparsityAt(Step);

    /// <summary>W_enc·(x − b). Shape: <c>[batch, n_latents]</c>.</summary>
    public torch.Tensor Product() => Multiply(SubtractsBias ? Inputs - Weights.DecoderBias : Inputs, Weights.Encoder.t());

    /// <summary>z. Shape: <c>[batch, n_latents]</c>.</summary>
    public torch.Tensor PreActivations() => Product() + Weights.EncoderBias;

    /// <summary>x̂. Shape: <c>[batch, d_out]</c>.</summary>
    public torch.Tensor Decode(torch.Tensor latents)
    {
        var decoded = Multiply(latents, Weights.Decoder) + Weights.DecoderBias;
        return Weights.Skip is { } skip ? decoded + Multiply(Inputs, skip.t()) : decoded;
    }

    /// <summary>mean over rows of Σ (x̂ − x)².</summary>
    public torch.Tensor SquaredError(torch.Tensor reconstruction) => (reconstruction - Targets).square().sum(1).mean();

    /// <summary>‖W_dec,i‖. Shape: <c>[n_latents]</c>.</summary>
    public torch.Tensor DecoderNorms() => Norms(Weights.Decoder);

    /// <summary>The auxiliary loss on dead latents, or <c>null</c> where nothing is dead.</summary>
    /// <param name="pre">z, by which the dead are chosen. Shape: <c>[batch, n_latents]</c>.</param>
    /// <param name="norms">‖W_dec,i‖ where z is scaled by it. Shape: <c>[n_latents]</c>.</param>
    /// <param name="reconstruction">x̂. Shape: <c>[batch, d_out]</c>.</param>
    /// <param name="coefficient">Its weight.</param>
    /// <param name="variant">Whose.</param>
    public torch.Tensor? AuxiliaryLossOf(
        torch.Tensor pre,
        torch.Tensor? norms,
        torch.Tensor reconstruction,
        double coefficient,
        AuxiliaryVariant variant
    )
    {
        if (Dead.Length == 0 || coefficient == 0)
            return null;
        var dead = torch.tensor(Dead);
        return AuxiliaryLoss.Of(
            pre.index_select(1, dead),
            Weights.Decoder.index_select(0, dead),
            norms?.index_select(0, dead),
            (Targets - reconstruction).detach(),
            AuxiliaryLatents,
            coefficient,
            variant
        );
    }

    /// <summary>Dead latents that act in a row of the auxiliary loss, at most: d_in/2.</summary>
    public int AuxiliaryLatents => Math.Max(1, (int)Inputs.shape[1] / 2);

    /// <summary>The norms of rows, with a gradient that is finite at 0.</summary>
    public static torch.Tensor Norms(torch.Tensor rows) => rows.square().sum(1).clamp_min(1e-16).sqrt();

    /// <summary>A dense product, in the precision of the configuration.</summary>
    public torch.Tensor Multiply(torch.Tensor a, torch.Tensor b) =>
        Config.Products == ProductPrecision.Float32
            ? torch.mm(a, b)
            : torch.mm(a.to(torch.bfloat16), b.to(torch.bfloat16)).to(torch.float32);
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

    /// <summary>Whether there are W_enc and b_enc to train; else latents are found with W_dec alone, which a transcoder cannot do.</summary>
    internal virtual bool HasEncoder => true;

    /// <summary>Throws where a setting does not fit the size of the dictionary.</summary>
    internal virtual void Check(DictionaryConfig config) { }

    /// <summary>Adds weights of its own.</summary>
    internal virtual void AddWeights(DictionaryWeights weights, DictionaryConfig config) { }

    /// <summary>The loss of a batch.</summary>
    internal abstract LossTerms Loss(LossInput input);

    /// <summary>How its gradient is found: by automatic differentiation of <see cref="Loss"/>, unless the kind knows a shorter way.</summary>
    internal virtual IGradient Gradient(DictionaryConfig config) => new AutogradGradient(this);

    /// <summary>The threshold that a batch suggests, where one is followed; else <c>null</c>.</summary>
    /// <param name="threshold">The one before.</param>
    /// <param name="least">The smallest latent of the batch that is on; +∞ if none is.</param>
    /// <param name="step">The step, from 0.</param>
    internal virtual double? FollowThreshold(double? threshold, Func<double> least, long step) => null;

    /// <summary>The activation of the trained dictionary.</summary>
    internal abstract LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold);

    private protected static void CheckK(double k, DictionaryConfig config)
    {
        if (k > config.Latents)
            throw new ArgumentException($"k is {k}, but there are {config.Latents} latents", nameof(config));
    }
}
