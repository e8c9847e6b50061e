using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries;

/// <summary>How a TopK sparse autoencoder is trained.</summary>
public sealed record TopKConfig
{
    /// <summary>Latents in the dictionary.</summary>
    public required int NLatents { get; init; }

    /// <summary>Latents active in each row, k.</summary>
    public required int K { get; init; }

    /// <summary>Optimiser steps.</summary>
    public int Steps { get; init; } = 1_200;

    /// <summary>Rows a step.</summary>
    public int Batch { get; init; } = 256;

    /// <summary>Adam's learning rate, falling to zero along a quarter cosine.</summary>
    public double LearningRate { get; init; } = 4e-3;

    /// <summary>Whether the origin b_dec is learned; else it stays where it starts, at the median of every neuron.</summary>
    public bool LearnOrigin { get; init; } = true;

    /// <summary>A latent that did not fire in this many steps is dead and takes part in the auxiliary loss.</summary>
    public int DeadAfter { get; init; } = 100;

    /// <summary>Weight of the auxiliary loss, α.</summary>
    public double Auxiliary { get; init; } = 1.0 / 32;
}

/// <summary>A trained TopK autoencoder.</summary>
/// <param name="Config">The configuration.</param>
/// <param name="Encoder">Shape: <c>[n_latents, d_in]</c>.</param>
/// <param name="EncoderBias">Shape: <c>[1, n_latents]</c>.</param>
/// <param name="Decoder">Unit rows, the latents' directions. Shape: <c>[n_latents, d_in]</c>.</param>
/// <param name="DecoderBias">The origin b_dec. Shape: <c>[1, d_in]</c>.</param>
public sealed record TopKResult(TopKConfig Config, Matrix Encoder, Matrix EncoderBias, Matrix Decoder, Matrix DecoderBias)
{
    /// <summary>Latent activations: the k largest pre-activations of each row, if positive; the rest 0. Shape: <c>[n_samples, n_latents]</c>.</summary>
    public Matrix Encode(Matrix rows)
    {
        using var scope = torch.NewDisposeScope();
        var pre = torch.addmm(
            LinearAlgebra.ToTensor(EncoderBias),
            LinearAlgebra.ToTensor(rows) - LinearAlgebra.ToTensor(DecoderBias),
            LinearAlgebra.ToTensor(Encoder).t(),
            1,
            1
        );
        var (values, indices) = pre.topk(Config.K, dim: 1);
        return LinearAlgebra.ToMatrix(torch.zeros_like(pre).scatter_(1, indices, values.relu()));
    }

    /// <summary>Rows from latent activations. Shape: <c>[n_samples, d_in]</c>.</summary>
    public Matrix Decode(Matrix latents)
    {
        var rows = LinearAlgebra.Multiply(latents, Decoder);
        for (var i = 0; i < rows.Rows; i++)
        for (var j = 0; j < rows.Columns; j++)
            rows[i, j] += DecoderBias[0, j];
        return rows;
    }
}

/// <summary>A sparse autoencoder that keeps the k largest latents of each row.</summary>
/// <remarks>
/// Gao et al. 2024, "Scaling and evaluating sparse autoencoders" (arXiv 2406.04093): TopK activation, encoder started at the decoder's
/// transpose, unit-norm decoder with its parallel gradient removed, auxiliary loss on dead latents.
/// </remarks>
public static class TopKAutoencoder
{
    /// <summary>Trains on rows.</summary>
    /// <param name="rows">Shape: <c>[n_samples, d_in]</c>; mean squared row norm near 1.</param>
    /// <param name="config">Size, sparsity, schedule.</param>
    /// <param name="random">Draws the start and the batches.</param>
    /// <param name="cancellation">Checked once a step.</param>
    /// <exception cref="ArgumentException">k is not in 1 … n_latents.</exception>
    public static TopKResult Fit(Matrix rows, TopKConfig config, RandomStream random, CancellationToken cancellation = default)
    {
        if (config.K < 1 || config.K > config.NLatents)
            throw new ArgumentException($"k is {config.K}, but there are {config.NLatents} latents", nameof(config));
        var training = new Training(rows, config, random);
        for (var step = 0; step < config.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            training.Step(step);
        }
        return training.Result();
    }

    /// <summary>
    /// Weights, Adam's moments and one step with its gradient worked out by hand. Only the encoder product is dense and goes to libtorch; decoding and
    /// both backward passes touch the k active latents of each row.
    /// </summary>
    private sealed class Training
    {
        private readonly TopKConfig _config;
        private readonly RandomStream _random;
        private readonly int _width; // d_in
        private readonly float[] _rows; // [n_samples, d_in]
        private readonly int _nSamples;
        private readonly AdamArray _encoder; // [n_latents, d_in]
        private readonly AdamArray _encoderBias; // [n_latents]
        private readonly AdamArray _decoder; // [n_latents, d_in]
        private readonly AdamArray _origin; // [d_in]
        private readonly int[] _lastFired; // [n_latents]
        private readonly float[] _centred; // [batch, d_in]
        private readonly float[] _pre; // [batch, n_latents]
        private readonly float[] _error; // [d_in], x̂ − x of one row
        private readonly float[] _auxiliaryError; // [d_in]
        private readonly (float Value, int Latent)[] _active;

        public Training(Matrix rows, TopKConfig config, RandomStream random)
        {
            (_config, _random, _width, _nSamples) = (config, random, rows.Columns, rows.Rows);
            _rows = Array.ConvertAll(rows.Data, value => (float)value);
            _origin = new AdamArray(Medians(rows));
            _decoder = new AdamArray(StartingDirections());
            _encoder = new AdamArray((float[])_decoder.Values.Clone());
            _encoderBias = new AdamArray(new float[config.NLatents]);
            _lastFired = new int[config.NLatents];
            _centred = new float[config.Batch * _width];
            _pre = new float[config.Batch * config.NLatents];
            _error = new float[_width];
            _auxiliaryError = new float[_width];
            _active = new (float, int)[Math.Max(config.K, DeadAtOnce)];
        }

        /// <summary>Dead latents that take part in the auxiliary loss of one row.</summary>
        private int DeadAtOnce => Math.Max(1, Math.Min(_config.NLatents / 8, 2 * _config.K));

        public void Step(int step)
        {
            DrawBatch();
            Encode();
            foreach (var array in (ReadOnlySpan<AdamArray>)[_encoder, _encoderBias, _decoder, _origin])
                Array.Clear(array.Gradient);
            var dead = DeadLatents(step);
            for (var row = 0; row < _config.Batch; row++)
                Backward(row, step, dead);
            KeepDecoderGradientTangent();
            var learningRate = _config.LearningRate * Math.Cos(Math.PI / 2 * step / _config.Steps);
            foreach (var array in (ReadOnlySpan<AdamArray>)[_encoder, _encoderBias, _decoder])
                array.Descend(learningRate, step + 1);
            if (_config.LearnOrigin)
                _origin.Descend(learningRate, step + 1);
            Normalise(_decoder.Values);
        }

        public TopKResult Result()
        {
            Matrix Of(float[] values, int rows) => new(rows, values.Length / rows, Array.ConvertAll(values, value => (double)value));
            return new TopKResult(
                _config,
                Of(_encoder.Values, _config.NLatents),
                Of(_encoderBias.Values, 1),
                Of(_decoder.Values, _config.NLatents),
                Of(_origin.Values, 1)
            );
        }

        private void DrawBatch()
        {
            for (var i = 0; i < _config.Batch; i++)
            {
                var row = _rows.AsSpan(_random.NextInt(_nSamples) * _width, _width);
                TensorPrimitives.Subtract(row, _origin.Values, _centred.AsSpan(i * _width, _width));
            }
        }

        private void Encode()
        {
            using var scope = torch.NewDisposeScope();
            var pre = torch.mm(
                torch.frombuffer(_centred, torch.float32).reshape(_config.Batch, _width),
                torch.frombuffer(_encoder.Values, torch.float32).reshape(_config.NLatents, _width).t()
            );
            MemoryMarshal.Cast<byte, float>(pre.bytes).CopyTo(_pre);
            for (var i = 0; i < _config.Batch; i++)
            {
                var row = _pre.AsSpan(i * _config.NLatents, _config.NLatents);
                TensorPrimitives.Add(row, _encoderBias.Values, row);
            }
        }

        /// <summary>Loss: mean over the batch of ½‖x̂ − x‖², plus α times the same for the dead latents' account of the residual.</summary>
        private void Backward(int row, int step, int[] dead)
        {
            var input = _centred.AsSpan(row * _width, _width); // x − b_dec
            var pre = _pre.AsSpan(row * _config.NLatents, _config.NLatents);
            var count = Largest(pre, _config.K, positive: true);
            TensorPrimitives.Negate(input, _error);
            foreach (var (value, latent) in _active.AsSpan(0, count))
            {
                TensorPrimitives.MultiplyAdd(Decoder(latent), value, _error, _error);
                _lastFired[latent] = step;
            }
            Accumulate(input, _error, 1f / _config.Batch, count);
            if (dead.Length == 0)
                return;
            // Dead latents act without the ReLU here: one whose pre-activation is negative everywhere could not come back otherwise.
            count = LargestOf(pre, dead, Math.Min(DeadAtOnce, dead.Length));
            _error.CopyTo(_auxiliaryError, 0);
            foreach (var (value, latent) in _active.AsSpan(0, count))
                TensorPrimitives.MultiplyAdd(Decoder(latent), value, _auxiliaryError, _auxiliaryError);
            Accumulate(input, _auxiliaryError, (float)_config.Auxiliary / _config.Batch, count, alsoOrigin: false);
        }

        /// <summary>Adds one row's gradients, given its error and its active latents.</summary>
        private void Accumulate(ReadOnlySpan<float> input, ReadOnlySpan<float> error, float weight, int count, bool alsoOrigin = true)
        {
            if (alsoOrigin)
                TensorPrimitives.MultiplyAdd(error, weight, _origin.Gradient, _origin.Gradient);
            foreach (var (value, latent) in _active.AsSpan(0, count))
            {
                var slope = weight * TensorPrimitives.Dot(error, Decoder(latent)); // dL/dz
                var decoder = _decoder.Gradient.AsSpan(latent * _width, _width);
                var encoder = _encoder.Gradient.AsSpan(latent * _width, _width);
                TensorPrimitives.MultiplyAdd(error, weight * value, decoder, decoder);
                TensorPrimitives.MultiplyAdd(input, slope, encoder, encoder);
                _encoderBias.Gradient[latent] += slope;
                if (alsoOrigin)
                    TensorPrimitives.MultiplyAdd(
                        _encoder.Values.AsSpan(latent * _width, _width),
                        -slope,
                        _origin.Gradient,
                        _origin.Gradient
                    );
            }
        }

        private Span<float> Decoder(int latent) => _decoder.Values.AsSpan(latent * _width, _width);

        private int[] DeadLatents(int step) =>
            step < _config.DeadAfter
                ? []
                : [.. Enumerable.Range(0, _config.NLatents).Where(latent => _lastFired[latent] < step - _config.DeadAfter)];

        private int Largest(ReadOnlySpan<float> values, int k, bool positive)
        {
            var count = 0;
            for (var i = 0; i < values.Length; i++)
            {
                if (!(positive && values[i] <= 0))
                    count = Insert(values[i], i, count, k);
            }
            return count;
        }

        private int LargestOf(ReadOnlySpan<float> values, int[] candidates, int k)
        {
            var count = 0;
            foreach (var i in candidates)
                count = Insert(values[i], i, count, k);
            return count;
        }

        /// <summary>Keeps the k largest seen so far, largest first.</summary>
        private int Insert(float value, int latent, int count, int k)
        {
            if (count == k && value <= _active[k - 1].Value)
                return count;
            var at = count < k ? count++ : k - 1;
            for (; at > 0 && _active[at - 1].Value < value; at--)
                _active[at] = _active[at - 1];
            _active[at] = (value, latent);
            return count;
        }

        /// <summary>Takes out of each decoder row's gradient the part along the row, which renormalising would undo.</summary>
        private void KeepDecoderGradientTangent()
        {
            for (var latent = 0; latent < _config.NLatents; latent++)
            {
                var gradient = _decoder.Gradient.AsSpan(latent * _width, _width);
                var along = TensorPrimitives.Dot(gradient, Decoder(latent));
                if (along != 0)
                    TensorPrimitives.MultiplyAdd(Decoder(latent), -along, gradient, gradient);
            }
        }

        /// <summary>Latents start near rows of the data, seen from the origin: every one of them then fires for something.</summary>
        private float[] StartingDirections()
        {
            var directions = new float[_config.NLatents * _width];
            for (var latent = 0; latent < _config.NLatents; latent++)
            {
                var direction = directions.AsSpan(latent * _width, _width);
                TensorPrimitives.Subtract(_rows.AsSpan(_random.NextInt(_nSamples) * _width, _width), _origin.Values, direction);
                var norm = TensorPrimitives.Norm(direction);
                for (var j = 0; j < _width; j++)
                {
                    var noise = (float)_random.NextNormal() / MathF.Sqrt(_width);
                    direction[j] = norm > 1e-6f ? (direction[j] / norm) + (0.3f * noise) : noise;
                }
            }
            Normalise(directions);
            return directions;
        }

        private void Normalise(float[] directions)
        {
            for (var start = 0; start < directions.Length; start += _width)
            {
                var direction = directions.AsSpan(start, _width);
                TensorPrimitives.Divide(direction, Math.Max(TensorPrimitives.Norm(direction), 1e-8f), direction);
            }
        }

        private static float[] Medians(Matrix rows)
        {
            var medians = new float[rows.Columns];
            for (var j = 0; j < medians.Length; j++)
            {
                var column = rows.Column(j);
                Array.Sort(column);
                medians[j] = (float)column[column.Length / 2];
            }
            return medians;
        }
    }

    /// <summary>An array of weights with its gradient and Adam's two moments.</summary>
    private sealed class AdamArray(float[] values)
    {
        private const float Beta1 = 0.9f;
        private const float Beta2 = 0.999f;
        private readonly float[] _mean = new float[values.Length];
        private readonly float[] _square = new float[values.Length];

        public float[] Values { get; } = values;

        public float[] Gradient { get; } = new float[values.Length];

        /// <summary>One step of Adam (Kingma and Ba 2015, algorithm 1) with the bias corrections folded into the rate.</summary>
        public void Descend(double learningRate, int step)
        {
            var scale = (float)(learningRate * Math.Sqrt(1 - Math.Pow(Beta2, step)) / (1 - Math.Pow(Beta1, step)));
            var vectors = Values.Length - (Values.Length % Vector<float>.Count);
            for (var i = 0; i < vectors; i += Vector<float>.Count)
            {
                var gradient = new Vector<float>(Gradient, i);
                var mean = (Beta1 * new Vector<float>(_mean, i)) + ((1 - Beta1) * gradient);
                var square = (Beta2 * new Vector<float>(_square, i)) + ((1 - Beta2) * gradient * gradient);
                mean.CopyTo(_mean, i);
                square.CopyTo(_square, i);
                (new Vector<float>(Values, i) - (scale * mean / (Vector.SquareRoot(square) + new Vector<float>(1e-8f)))).CopyTo(Values, i);
            }
            for (var i = vectors; i < Values.Length; i++)
            {
                _mean[i] = (Beta1 * _mean[i]) + ((1 - Beta1) * Gradient[i]);
                _square[i] = (Beta2 * _square[i]) + ((1 - Beta2) * Gradient[i] * Gradient[i]);
                Values[i] -= scale * _mean[i] / (MathF.Sqrt(_square[i]) + 1e-8f);
            }
        }
    }
}
