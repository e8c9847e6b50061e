using System.Numerics;
using System.Numerics.Tensors;
using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.NonlinearEncoders;

/// <summary>The parameters of a toy model whose encoder has a hidden layer: h = C·ReLU(A·x + a) + c, x' = ReLU(W·h + b).</summary>
/// <param name="A">Shape: <c>[units, n]</c>.</param>
/// <param name="ABias">a. Shape: <c>[units]</c>.</param>
/// <param name="C">Shape: <c>[m, units]</c>.</param>
/// <param name="CBias">c. Shape: <c>[m]</c>.</param>
/// <param name="W">The decoder. Shape: <c>[n, m]</c>.</param>
/// <param name="B">b. Shape: <c>[n]</c>.</param>
public sealed record EncoderParameters(Matrix A, double[] ABias, Matrix C, double[] CBias, Matrix W, double[] B);

/// <summary>How such a model is trained: Adam on the mean over samples of Σ_i (x_i − x'_i)², the learning rate falling as a quarter cosine.</summary>
/// <param name="Features">n.</param>
/// <param name="Hidden">m.</param>
/// <param name="Units">ReLUs of the encoder's hidden layer.</param>
/// <param name="Density">1 − S.</param>
public sealed record EncoderTraining(int Features, int Hidden, int Units, double Density)
{
    /// <summary>Steps.</summary>
    public int Steps { get; init; } = 12_000;

    /// <summary>Samples per step.</summary>
    public int Batch { get; init; } = 512;

    /// <summary>The highest learning rate.</summary>
    public double LearningRate { get; init; } = 3e-3;

    internal int ParameterCount => (Units * Features) + Units + (Hidden * Units) + Hidden + (Features * Hidden) + Features;

    /// <summary>Trains one model.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="model">Its number in the population: decides start and batches.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>The parameters, and the training loss over the steps.</returns>
    public (EncoderParameters Parameters, IReadOnlyList<CurvePoint> Curve) Train(ulong seed, int model, CancellationToken cancellation)
    {
        var stream = new RandomStream(seed, $"nonlinear-encoder/init/{model}");
        var parameters = new float[ParameterCount];
        var layers = new Layers(this);
        Initialise(layers.A(parameters), Features, stream);
        Initialise(layers.C(parameters), Units, stream);
        Initialise(layers.W(parameters), Hidden, stream);
        var inputs = new ToyBatch(
            new ToyInputs.Fresh(Density),
            Features,
            Batch,
            seed,
            RandomStream.LaneOf($"nonlinear-encoder/data/{model}")
        );
        var space = new Workspace(this);
        var gradient = new float[parameters.Length];
        var adam = new AdamState<float>(parameters.Length);
        var curve = new List<CurvePoint>();
        for (var step = 0; step < Steps; step++)
        {
            if (step % 64 == 0)
                cancellation.ThrowIfCancellationRequested();
            inputs.Make(step);
            var loss = Gradient(parameters, inputs.Rows, gradient, space);
            if (!double.IsFinite(loss))
                throw new DivergenceException($"model {model} of {Units} units diverged at step {step}");
            if ((step + 1) % Math.Max(1, Steps / 100) == 0)
                curve.Add(new CurvePoint(step + 1, loss));
            adam.Step(parameters, gradient, LearningRate * Math.Cos(Math.PI / 2 * step / Steps));
        }
        return (layers.Read(parameters), curve);

        // He et al. 2015: variance 2/inputs in front of a ReLU; the encoder's second layer has none, and is fine with it.
        static void Initialise(Span<float> w, int inputs, RandomStream stream)
        {
            foreach (ref var value in w)
                value = (float)(Math.Sqrt(2.0 / inputs) * stream.NextNormal());
        }
    }

    /// <summary>Loss and gradient of a batch; what the tests compare with autograd.</summary>
    internal double Gradient(Span<float> parameters, SparseRows rows, Span<float> gradient, Workspace space)
    {
        var batch = Batch;
        var layers = new Layers(this);
        gradient.Clear();
        ColumnLayer.Spread(rows, space.Inputs, batch);
        ColumnLayer.Forward(layers.A(parameters), layers.ABias(parameters), space.Inputs, space.Units, batch);
        TensorPrimitives.Max(space.Units, 0f, space.Units);
        ColumnLayer.Forward(layers.C(parameters), layers.CBias(parameters), space.Units, space.Hidden, batch);
        ColumnLayer.Forward(layers.W(parameters), layers.B(parameters), space.Hidden, space.Output, batch);
        var loss = 0.0;
        for (var i = 0; i < space.Output.Length; i++)
        {
            var z = space.Output[i];
            var error = Math.Max(z, 0) - space.Inputs[i];
            loss += error * error;
            space.Output[i] = z > 0 ? 2 * error / batch : 0;
        }
        ColumnLayer.BackwardWeights(space.Output, space.Hidden, layers.W(gradient), layers.B(gradient), batch);
        ColumnLayer.BackwardInputs(layers.W(parameters), space.Output, space.HiddenGradient, batch);
        ColumnLayer.BackwardWeights(space.HiddenGradient, space.Units, layers.C(gradient), layers.CBias(gradient), batch);
        ColumnLayer.BackwardInputs(layers.C(parameters), space.HiddenGradient, space.UnitsGradient, batch);
        Gate(space.Units, space.UnitsGradient);
        ColumnLayer.BackwardWeights(space.UnitsGradient, space.Inputs, layers.A(gradient), layers.ABias(gradient), batch);
        return loss / batch;
    }

    /// <summary>Lets gradients through where a ReLU did.</summary>
    private static void Gate(float[] activations, float[] gradient)
    {
        var i = 0;
        for (; i <= gradient.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var open = Vector.GreaterThan(new Vector<float>(activations, i), Vector<float>.Zero);
            Vector.ConditionalSelect(open, new Vector<float>(gradient, i), Vector<float>.Zero).CopyTo(gradient, i);
        }
        for (; i < gradient.Length; i++)
            gradient[i] = activations[i] > 0 ? gradient[i] : 0;
    }

    /// <summary>Where each layer lies in the one array of parameters.</summary>
    internal sealed class Layers(EncoderTraining training)
    {
        private readonly int _n = training.Features,
            _m = training.Hidden,
            _u = training.Units;

        public Span<float> A(Span<float> all) => all[..(_u * _n)];

        public Span<float> ABias(Span<float> all) => all.Slice(_u * _n, _u);

        public Span<float> C(Span<float> all) => all.Slice(_u * (_n + 1), _m * _u);

        public Span<float> CBias(Span<float> all) => all.Slice((_u * (_n + 1)) + (_m * _u), _m);

        public Span<float> W(Span<float> all) => all.Slice((_u * (_n + 1)) + (_m * (_u + 1)), _n * _m);

        public Span<float> B(Span<float> all) => all[^_n..];

        public EncoderParameters Read(Span<float> all) =>
            new(
                new Matrix(_u, _n, Doubles(A(all))),
                Doubles(ABias(all)),
                new Matrix(_m, _u, Doubles(C(all))),
                Doubles(CBias(all)),
                new Matrix(_n, _m, Doubles(W(all))),
                Doubles(B(all))
            );

        private static double[] Doubles(ReadOnlySpan<float> values)
        {
            var doubles = new double[values.Length];
            TensorPrimitives.ConvertChecked<float, double>(values, doubles);
            return doubles;
        }
    }

    /// <summary>Scratch for a batch.</summary>
    internal sealed class Workspace(EncoderTraining training)
    {
        public float[] Inputs { get; } = new float[training.Features * training.Batch];

        public float[] Units { get; } = new float[training.Units * training.Batch];

        public float[] UnitsGradient { get; } = new float[training.Units * training.Batch];

        public float[] Hidden { get; } = new float[training.Hidden * training.Batch];

        public float[] HiddenGradient { get; } = new float[training.Hidden * training.Batch];

        public float[] Output { get; } = new float[training.Features * training.Batch];
    }
}
