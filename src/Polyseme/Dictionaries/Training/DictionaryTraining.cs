using System.Runtime.InteropServices;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>What a step of a training came to.</summary>
/// <param name="Step">The step, from 0.</param>
/// <param name="Loss">The whole loss.</param>
/// <param name="L0">Latents on, mean over the batch.</param>
/// <param name="Dead">Dead latents.</param>
public sealed record CurvePoint(long Step, double Loss, double L0, int Dead);

/// <summary>One dictionary in training: weights, optimiser, dead counters and the number of steps done are all of its state.</summary>
/// <remarks>Random numbers are drawn from streams named after the step, so that the step says where each stream is.</remarks>
public sealed class DictionaryTraining : IDisposable
{
    private readonly RowStream _rows;
    private readonly long[] _lastFired; // [n_latents]: the last step in which it fired, −1 before
    private readonly bool _subtractsBias;
    private readonly IGradient _gradient;
    private readonly InputScales _scales;
    private double? _threshold;

    /// <summary>Starts one.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="config">How it is trained.</param>
    /// <param name="rows">What it is trained on; its first batch may place b_dec.</param>
    /// <exception cref="ArgumentException">The kind's settings do not fit the configuration.</exception>
    public DictionaryTraining(DictionaryKind kind, DictionaryConfig config, RowStream rows)
    {
        kind.Check(config);
        if (rows.HasTargets && !kind.HasEncoder)
            throw new ArgumentException($"a transcoder needs an encoder, and {kind.Name} has none", nameof(kind));
        (Kind, Config, _rows, _gradient) = (kind, config, rows, kind.Gradient(config));
        _scales = InputScales.Of(config, rows);
        _subtractsBias = !rows.HasTargets && !config.Skip;
        _lastFired = new long[config.Latents];
        Array.Fill(_lastFired, -1);
        Start();
    }

    /// <summary>Its kind.</summary>
    public DictionaryKind Kind { get; }

    /// <summary>How it is trained.</summary>
    public DictionaryConfig Config { get; }

    /// <summary>Steps done.</summary>
    public long StepsDone { get; private set; }

    /// <summary>Latents that the last resampling replaced, with the rows they were given, x − b. Shape: <c>[n_resampled, d_in]</c>.</summary>
    internal (int[] Latents, FloatMatrix Rows)? LastResampled { get; private set; }

    /// <summary>Those of the rows, as scaled.</summary>
    internal DictionaryWeights Weights { get; } = new();

    private bool UnitNorm => Config.UnitNormDecoder || Kind.NeedsUnitNorm;

    /// <summary>One step.</summary>
    /// <param name="inputs">Shape: <c>[batch, d_in]</c>.</param>
    /// <param name="targets">What is to be reconstructed: the same, unless this is a transcoder. Shape: <c>[batch, d_out]</c>.</param>
    /// <exception cref="DivergenceException">The loss is not finite.</exception>
    public CurvePoint Step(torch.Tensor inputs, torch.Tensor targets)
    {
        using var scope = torch.NewDisposeScope();
        var dead = Dead();
        (inputs, targets) = Scaled(inputs, targets);
        var outcome = _gradient.Of(Input(inputs, targets, dead));
        if (!double.IsFinite(outcome.Loss))
            throw new DivergenceException(
                $"the loss of the {Kind.Name} dictionary is {outcome.Loss} at step {StepsDone}; lower the learning rate"
            );
        using (torch.no_grad())
        {
            MarkFired(outcome.Fired);
            if (outcome.Least is { } least)
                _threshold = Kind.FollowThreshold(_threshold, least, StepsDone);
            Weights.Descend(Config, StepsDone, UnitNorm);
            if (Config.ResampleEvery > 0 && (StepsDone + 1) % Config.ResampleEvery == 0)
                Resample(inputs, targets, outcome.Reconstruction());
        }
        return new CurvePoint(StepsDone++, outcome.Loss, outcome.L0, dead.Length);
    }

    /// <summary>The dictionary as trained so far. A batch-wise one has its threshold, once it follows one.</summary>
    public SparseAutoencoder Result()
    {
        var decoder = Weights.Matrix("decoder");
        var trained = new SparseAutoencoder(
            Kind.Activation(Weights, Config, _threshold),
            Kind.HasEncoder ? Weights.Matrix("encoder") : decoder,
            Kind.HasEncoder ? Weights.Values("encoder_bias") : new float[Config.Latents],
            decoder,
            Weights.Values("decoder_bias"),
            Config.Skip ? Weights.Matrix("skip") : null
        )
        {
            SubtractDecoderBias = _subtractsBias,
        };
        return trained.Unscaled(_scales.Inputs, _scales.Targets);
    }

    /// <inheritdoc/>
    public void Dispose() => Weights.Dispose();

    /// <summary>The loss of a batch and what it is made of, without a step.</summary>
    internal LossTerms Loss(torch.Tensor inputs, torch.Tensor targets)
    {
        (inputs, targets) = Scaled(inputs, targets);
        return Kind.Loss(Input(inputs, targets, Dead()));
    }

    /// <summary>Leaves the gradient of a batch in the weights, without a step: the kind's own way, or automatic differentiation.</summary>
    internal GradientOutcome Gradient(torch.Tensor inputs, torch.Tensor targets, bool automatic = false)
    {
        (inputs, targets) = Scaled(inputs, targets);
        return (automatic ? new AutogradGradient(Kind) : _gradient).Of(Input(inputs, targets, Dead()));
    }

    /// <summary>Everything but the settings.</summary>
    internal (long StepsDone, double? Threshold, long[] LastFired) State => (StepsDone, _threshold, _lastFired);

    internal void Restore(long stepsDone, double? threshold, long[] lastFired)
    {
        (StepsDone, _threshold) = (stepsDone, threshold);
        lastFired.CopyTo(_lastFired, 0);
    }

    private (torch.Tensor Inputs, torch.Tensor Targets) Scaled(torch.Tensor inputs, torch.Tensor targets)
    {
        if (Config.InputScale == InputScale.None)
            return (inputs, targets);
        var scaled = inputs * _scales.Inputs;
        return (scaled, ReferenceEquals(inputs, targets) ? scaled : targets * _scales.Targets);
    }

    private LossInput Input(torch.Tensor inputs, torch.Tensor targets, long[] dead) =>
        new(Weights, Config, inputs, targets, _subtractsBias, StepsDone, dead);

    private long[] Dead()
    {
        var dead = new List<long>();
        for (var i = 0; i < _lastFired.Length; i++)
        {
            if (StepsDone - 1 - _lastFired[i] >= Config.DeadAfterSteps)
                dead.Add(i);
        }
        return [.. dead];
    }

    private void MarkFired(bool[] fired)
    {
        for (var i = 0; i < fired.Length; i++)
        {
            if (fired[i])
                _lastFired[i] = StepsDone;
        }
    }

    private void Start()
    {
        int dIn = _rows.DIn,
            dOut = _rows.DOut,
            n = Config.Latents;
        var random = new RandomStream(Config.Seed, "dictionary/start");
        var decoder = new float[n * dOut];
        for (var i = 0; i < n; i++)
        {
            var row = decoder.AsSpan(i * dOut, dOut);
            foreach (ref var value in row)
                value = (random.NextSingle() * 2) - 1;
            var norm = System.Numerics.Tensors.TensorPrimitives.Norm<float>(row);
            System.Numerics.Tensors.TensorPrimitives.Multiply(
                row,
                (float)((UnitNorm ? 1 : Config.DecoderStartNorm) / Math.Max(norm, 1e-12f)),
                row
            );
        }
        // The encoder starts as the decoder's transpose; where the widths differ, as rows of its own of the same norm and no output at all.
        var encoder = (float[])decoder.Clone();
        if (_rows.HasTargets)
        {
            encoder = new float[n * dIn];
            for (var i = 0; i < encoder.Length; i++)
                encoder[i] = (float)(random.NextNormal() * (UnitNorm ? 1 : Config.DecoderStartNorm) / Math.Sqrt(dIn));
        }
        if (Kind.HasEncoder)
        {
            Weights.Add("encoder", encoder, n, dIn);
            Weights.Add("encoder_bias", new float[n], n);
        }
        Weights.Add("decoder", decoder, n, dOut);
        Weights.Add("decoder_bias", StartingBias(dIn, dOut), dOut);
        if (Config.Skip)
            Weights.Add("skip", new float[dOut * dIn], dOut, dIn);
        Kind.AddWeights(Weights, Config);
    }

    private float[] StartingBias(int dIn, int dOut)
    {
        if (Config.DecoderBiasStart == DecoderBiasStart.Zero)
            return new float[dOut];
        float[] inputs = new float[Config.Batch * dIn],
            targets = _rows.HasTargets ? new float[Config.Batch * dOut] : [];
        _rows.Fill(0, inputs, targets);
        using var scope = torch.NewDisposeScope();
        var rows = torch.tensor(_rows.HasTargets ? targets : inputs, [Config.Batch, dOut]).to(torch.float64);
        var centre = rows.mean([0L]);
        if (Config.DecoderBiasStart == DecoderBiasStart.GeometricMedian)
        {
            // Weiszfeld 1937.
            for (var i = 0; i < 100; i++)
            {
                var weights = (rows - centre).norm(1, keepdim: true).clamp_min(1e-9).reciprocal();
                centre = (rows * weights).sum(dim: 0) / weights.sum();
            }
        }
        return DictionaryWeights.Values((centre * _scales.Targets).to(torch.float32));
    }

    /// <summary>
    /// Dead latents start again from rows that are reconstructed badly: drawn with probability proportional to the squared loss, the decoder
    /// along the row, the encoder along it with a fifth of the living latents' mean norm, bias 0, Adam's moments forgotten. Bricken et al. 2023,
    /// "Towards Monosemanticity", appendix on neuron resampling.
    /// </summary>
    private void Resample(torch.Tensor inputs, torch.Tensor targets, torch.Tensor reconstruction)
    {
        var latents = Enumerable
            .Range(0, Config.Latents)
            .Where(latent => StepsDone - _lastFired[latent] >= Config.DeadAfterSteps)
            .ToArray();
        if (latents.Length == 0)
            return;
        var losses = MemoryMarshal.Cast<byte, double>((targets - reconstruction).square().sum(1, type: torch.float64).bytes).ToArray();
        var total = losses.Sum(loss => loss * loss);
        if (total <= 0)
            return;
        var random = new RandomStream(Config.Seed, $"dictionary/resample/{StepsDone}");
        var chosen = latents.Select(_ => Drawn(losses, total * random.NextDouble())).ToArray();
        var at = torch.tensor(Array.ConvertAll(latents, latent => (long)latent));
        var from = torch.tensor(Array.ConvertAll(chosen, row => (long)row));
        var seen = _subtractsBias ? inputs - Weights.DecoderBias : inputs;
        var rows = seen.index_select(0, from);
        var directions = rows / rows.norm(1, keepdim: true).clamp_min(1e-8);
        if (Kind.HasEncoder)
        {
            var norms = Weights.Encoder.norm(1);
            var living = torch.ones(Config.Latents).index_fill_(0, at, 0);
            var norm = latents.Length == Config.Latents ? norms.mean() : (norms * living).sum() / living.sum();
            Weights.Encoder.index_copy_(0, at, directions * norm * 0.2);
            Weights.EncoderBias.index_fill_(0, at, 0);
        }
        var outputs = _rows.HasTargets ? (targets - Weights.DecoderBias).index_select(0, from) : rows;
        var decoder = outputs / outputs.norm(1, keepdim: true).clamp_min(1e-8);
        Weights.Decoder.index_copy_(0, at, UnitNorm ? decoder : decoder * Config.DecoderStartNorm);
        Weights.ForgetMoments(at, Config.Latents);
        foreach (var latent in latents)
            _lastFired[latent] = StepsDone;
        LastResampled = (latents, new FloatMatrix(latents.Length, _rows.DIn, DictionaryWeights.Values(rows)));
    }

    private static int Drawn(double[] losses, double at)
    {
        for (var row = 0; row < losses.Length; row++)
        {
            at -= losses[row] * losses[row];
            if (at < 0)
                return row;
        }
        return Array.IndexOf(losses, losses.Max());
    }
}
