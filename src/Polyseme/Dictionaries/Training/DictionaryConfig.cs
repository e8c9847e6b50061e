namespace Polyseme.Dictionaries.Training;

/// <summary>Where b_dec starts.</summary>
public enum DecoderBiasStart
{
    /// <summary>At 0, as SAELens.</summary>
    Zero,

    /// <summary>At the mean of the first batch, as sparsify.</summary>
    Mean,

    /// <summary>At the geometric median of the first batch, as OpenAI and dictionary_learning.</summary>
    GeometricMedian,
}

/// <summary>What the dense products of a training are taken in.</summary>
public enum ProductPrecision
{
    /// <summary>float32.</summary>
    Float32,

    /// <summary>
    /// bfloat16, summed in float32; weights, moments and everything else stay float32. Faster only on processors that have units for it (AMX or
    /// AVX512-BF16), much slower on others.
    /// </summary>
    Bfloat16,
}

/// <summary>How a dictionary is trained, whatever its kind.</summary>
public sealed record DictionaryConfig
{
    /// <summary>Latents, at least 1.</summary>
    public required int Latents
    {
        get;
        init => field = Allowed.Between(value, 1, 1 << 24);
    }

    /// <summary>Optimiser steps.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 10_000;

    /// <summary>Rows a step.</summary>
    public int Batch
    {
        get;
        init => field = Allowed.Between(value, 1, 1 << 20);
    } = 4096;

    /// <summary>Adam's rate, after its warm-up and before its decay.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 0, 1);
    } = 3e-4;

    /// <summary>Adam's β₁.</summary>
    public double Beta1
    {
        get;
        init => field = Allowed.Between(value, 0, 0.9999);
    } = 0.9;

    /// <summary>Adam's β₂.</summary>
    public double Beta2
    {
        get;
        init => field = Allowed.Between(value, 0, 0.999999);
    } = 0.999;

    /// <summary>Adam's ε.</summary>
    public double Epsilon
    {
        get;
        init => field = Allowed.Between(value, 1e-30, 1);
    } = 1e-8;

    /// <summary>Steps over which the rate rises linearly from 0.</summary>
    public int WarmUpSteps
    {
        get;
        init => field = Allowed.Between(value, 0, int.MaxValue);
    }

    /// <summary>Steps at the end over which the rate falls linearly to 0.</summary>
    public int DecaySteps
    {
        get;
        init => field = Allowed.Between(value, 0, int.MaxValue);
    }

    /// <summary>Steps over which the sparsity coefficient rises linearly from 0.</summary>
    public int SparsityWarmUpSteps
    {
        get;
        init => field = Allowed.Between(value, 0, int.MaxValue);
    }

    /// <summary>Largest norm of the gradient of all weights together; 0 = not clipped.</summary>
    public double ClipNorm
    {
        get;
        init => field = Allowed.Between(value, 0, 1e9);
    } = 1;

    /// <summary>Keeps the rows of W_dec at unit norm; their gradients lose the part along the row.</summary>
    public bool UnitNormDecoder { get; init; }

    /// <summary>Norm of the rows of W_dec at the start, unless they are kept at unit norm.</summary>
    public double DecoderStartNorm
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1e3);
    } = 0.1;

    /// <summary>
    /// What rows are multiplied by; the trained dictionary has it in its weights and reads rows as they are. Of a transcoder, what it gives has a constant of
    /// its own. The loss is that of the scaled rows.
    /// </summary>
    public InputScale InputScale { get; init; }

    /// <summary>Batches, from the first on, that the constant is taken from; dictionary_learning has 100, SAELens 1000.</summary>
    public int InputScaleBatches
    {
        get;
        init => field = Allowed.Between(value, 1, 1 << 20);
    } = 100;

    /// <summary>Where b_dec starts.</summary>
    public DecoderBiasStart DecoderBiasStart { get; init; }

    /// <summary>A latent that fired for no row of this many steps is dead.</summary>
    public int DeadAfterSteps
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 1000;

    /// <summary>Steps between two resamplings of the dead latents (Bricken et al. 2023); 0 = never.</summary>
    public int ResampleEvery
    {
        get;
        init => field = Allowed.Between(value, 0, int.MaxValue);
    }

    /// <summary>Adds W_skip·x to the reconstruction: a skip-transcoder. b_dec is then not taken from rows before encoding.</summary>
    public bool Skip { get; init; }

    /// <summary>What dense products are taken in.</summary>
    public ProductPrecision Products { get; init; }

    /// <summary>Draws the start, the order of the rows and the resampled latents.</summary>
    public ulong Seed { get; init; }

    /// <summary>The learning rate of a step, counted from 0.</summary>
    public double RateAt(long step)
    {
        var rate = LearningRate;
        if (step < WarmUpSteps)
            rate *= (step + 1.0) / WarmUpSteps;
        return Steps - step < DecaySteps ? rate * (Steps - step) / DecaySteps : rate;
    }

    /// <summary>The share of the sparsity coefficient that counts at a step, in [0, 1].</summary>
    public double SparsityAt(long step) => step < SparsityWarmUpSteps ? (double)step / SparsityWarmUpSteps : 1;
}
