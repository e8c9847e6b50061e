using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Codes;

/// <summary>What follows the decoder of a toy model.</summary>
public enum RoundedOutput
{
    /// <summary>z.</summary>
    Linear,

    /// <summary>max(0, z).</summary>
    Relu,

    /// <summary>z, a third of it where it is negative: negative interference counts, but less.</summary>
    LeakyRelu,

    /// <summary>z where it exceeds the threshold, else 0: what a gated autoencoder does with small interference.</summary>
    JumpRelu,
}

/// <summary>What an error costs.</summary>
public enum RoundedError
{
    /// <summary>e².</summary>
    Squared,

    /// <summary>max(0, |e| − τ)².</summary>
    DeadZone,

    /// <summary>e² up to τ, then 2τ|e| − τ².</summary>
    Huber,
}

/// <summary>A toy model of sparse continuous features whose small errors are rounded away: h = Wᵀx, x' = φ(W·h + b).</summary>
/// <param name="Features">n.</param>
/// <param name="Hidden">m.</param>
/// <param name="Density">1 − S, below 1.</param>
/// <param name="Output">φ.</param>
/// <param name="Error">ρ: the loss is Σ_i ρ(x_i − x'_i), averaged over the batch.</param>
/// <param name="Tolerance">τ of the error, or the threshold of the jump.</param>
public sealed record RoundedToy(int Features, int Hidden, double Density, RoundedOutput Output, RoundedError Error, double Tolerance)
{
    private const float LeakySlope = 1f / 3;

    /// <summary>Trains one model: Adam, the learning rate falling as a quarter cosine.</summary>
    /// <param name="steps">Steps.</param>
    /// <param name="batch">Samples per step.</param>
    /// <param name="rate">The highest learning rate.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="model">Its number: model k starts alike and sees the same batches for every φ, ρ and τ.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>W and b, and the mean loss over the last hundredth of the steps.</returns>
    public (ToyParameters Parameters, double Loss) Train(
        int steps,
        int batch,
        double rate,
        ulong seed,
        int model,
        CancellationToken cancellation
    )
    {
        var shape = new ToyShape(Features, Hidden, HiddenRelu: false, Output == RoundedOutput.Relu, ToyShape.Uniform(Features));
        var start = ToyParameters.Initial(shape, seed, model);
        var parameters = new float[(Features * Hidden) + Features];
        for (var i = 0; i < start.W.Data.Length; i++)
            parameters[i] = (float)start.W.Data[i];
        var inputs = new ToyBatch(new ToyInputs.Fresh(Density), Features, batch, seed, RandomStream.LaneOf($"toy/data/{model}"));
        var space = new Workspace(this, batch);
        var gradient = new float[parameters.Length];
        var adam = new AdamState<float>(parameters.Length);
        double last = 0;
        var counted = Math.Max(1, steps / 100);
        for (var step = 0; step < steps; step++)
        {
            if (step % 64 == 0)
                cancellation.ThrowIfCancellationRequested();
            inputs.Make(step);
            var loss = Gradient(parameters, inputs.Rows, gradient, space);
            if (step >= steps - counted)
                last += loss / counted;
            adam.Step(parameters, gradient, rate * Math.Cos(Math.PI / 2 * step / steps));
        }
        var w = new Matrix(Features, Hidden, [.. parameters.Take(Features * Hidden).Select(value => (double)value)]);
        return (new ToyParameters(w, [.. parameters.Skip(Features * Hidden).Select(value => (double)value)]), last);
    }

    /// <summary>Loss and gradient of a batch; what the tests compare with autograd.</summary>
    /// <param name="parameters">W row by row, then b. Shape: <c>[n·m + n]</c>.</param>
    /// <param name="rows">The batch.</param>
    /// <param name="gradient">Filled. Shape: <c>[n·m + n]</c>.</param>
    /// <param name="space">Scratch.</param>
    internal double Gradient(ReadOnlySpan<float> parameters, SparseRows rows, Span<float> gradient, Workspace space)
    {
        var batch = space.Batch;
        ReadOnlySpan<float> w = parameters[..(Features * Hidden)],
            b = parameters[(Features * Hidden)..];
        Span<float> dw = gradient[..(Features * Hidden)],
            db = gradient[(Features * Hidden)..];
        gradient.Clear();
        ColumnLayer.Spread(rows, space.Inputs, batch);
        // W is the decoder's [n, m]; encoding is the decoder's way back.
        ColumnLayer.BackwardInputs(w, space.Inputs, space.Hidden, batch);
        ColumnLayer.Forward(w, b, space.Hidden, space.Output, batch);
        var loss = 0.0;
        float tau = (float)Tolerance,
            share = 1f / batch;
        for (var i = 0; i < space.Output.Length; i++)
        {
            var z = space.Output[i];
            var (y, slope) = Output switch
            {
                RoundedOutput.Linear => (z, 1f),
                RoundedOutput.Relu => z > 0 ? (z, 1f) : (0f, 0f),
                RoundedOutput.LeakyRelu => z > 0 ? (z, 1f) : (LeakySlope * z, LeakySlope),
                RoundedOutput.JumpRelu => z > tau ? (z, 1f) : (0f, 0f),
                _ => throw new InvalidOperationException($"no such output: {Output}"),
            };
            var error = y - space.Inputs[i];
            var size = Math.Abs(error);
            float cost,
                derivative;
            switch (Error)
            {
                case RoundedError.Squared:
                    (cost, derivative) = (error * error, 2 * error);
                    break;
                case RoundedError.DeadZone:
                    var excess = Math.Max(0, size - tau);
                    (cost, derivative) = (excess * excess, 2 * excess * Math.Sign(error));
                    break;
                case RoundedError.Huber:
                    (cost, derivative) =
                        size <= tau ? (error * error, 2 * error) : ((2 * tau * size) - (tau * tau), 2 * tau * Math.Sign(error));
                    break;
                default:
                    throw new InvalidOperationException($"no such error: {Error}");
            }
            loss += cost;
            space.Output[i] = derivative * slope * share;
        }
        ColumnLayer.BackwardWeights(space.Output, space.Hidden, dw, db, batch);
        ColumnLayer.BackwardInputs(w, space.Output, space.HiddenGradient, batch);
        // Through the encoder: dW_ik += Σ x_i dh_k, over the entries that are not zero.
        ReadOnlySpan<int> row = rows.Row,
            feature = rows.Feature;
        var value = rows.Value;
        for (var entry = 0; entry < row.Length; entry++)
        {
            for (var k = 0; k < Hidden; k++)
                dw[(feature[entry] * Hidden) + k] += value[entry] * space.HiddenGradient[(k * batch) + row[entry]];
        }
        return loss / batch;
    }

    /// <summary>Scratch for a batch.</summary>
    internal sealed class Workspace(RoundedToy toy, int batch)
    {
        public int Batch => batch;

        public float[] Inputs { get; } = new float[toy.Features * batch];

        public float[] Hidden { get; } = new float[toy.Hidden * batch];

        public float[] HiddenGradient { get; } = new float[toy.Hidden * batch];

        public float[] Output { get; } = new float[toy.Features * batch];
    }
}
