using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>How the blocks of a network in the plane compute.</summary>
internal enum PlanarBlock
{
    /// <summary>x ← x + v·ReLU(u·x + b): one neuron beside the identity.</summary>
    OneNeuron,

    /// <summary>x ← ReLU(A·x + b): two neurons, fully connected, nothing beside them.</summary>
    WidthTwo,
}

/// <summary>A deep network whose layers all live in the plane, with a linear read-out to one logit; trained on a disc with hand-written gradients.</summary>
/// <remarks>
/// Lin and Jegelka 2018, "ResNet with one-neuron hidden layers is a universal approximator". Parameters of a block: u (2), b, v (2), one unused; or
/// A row by row (4), b (2). Hooks: <c>blocks.k.hook_neuron</c> of the one-neuron blocks, <c>blocks.k.hook_resid</c> after every block.
/// </remarks>
internal sealed class PlanarStack : Network
{
    private const int PerBlock = 6;
    private readonly float[] _parameters; // blocks · 6, then the read-out: w (2), c

    private PlanarStack(PlanarBlock kind, int blocks, float[] parameters)
    {
        (Kind, Blocks, _parameters) = (kind, blocks, parameters);
        Hooks =
        [
            .. Enumerable
                .Range(0, blocks)
                .SelectMany(block =>
                    kind == PlanarBlock.OneNeuron
                        ? (Hook[])[new Hook($"blocks.{block}.hook_neuron", 1), new Hook($"blocks.{block}.hook_resid", 2)]
                        : [new Hook($"blocks.{block}.hook_resid", 2)]
                ),
        ];
    }

    /// <summary>How blocks compute.</summary>
    public PlanarBlock Kind { get; }

    /// <summary>Number of blocks.</summary>
    public int Blocks { get; }

    public override int InputWidth => 2;

    public override IReadOnlyList<Hook> Hooks { get; }

    public override IReadOnlyDictionary<string, Matrix> Weights =>
        new Dictionary<string, Matrix>
        {
            ["blocks"] = new(Blocks, PerBlock, Array.ConvertAll(_parameters[..(Blocks * PerBlock)], value => (double)value)),
            ["read_out"] = new(1, 3, Array.ConvertAll(_parameters[(Blocks * PerBlock)..], value => (double)value)),
        };

    /// <summary>An untrained network that starts near the identity. The fully connected one starts shifted, so that no ReLU cuts anything off.</summary>
    public static PlanarStack Start(PlanarBlock kind, int blocks, RandomStream random)
    {
        var parameters = new float[(blocks * PerBlock) + 3];
        for (var block = 0; block < blocks; block++)
        {
            var p = parameters.AsSpan(block * PerBlock, PerBlock);
            if (kind == PlanarBlock.OneNeuron)
            {
                var (sin, cos) = Math.SinCos(2 * Math.PI * random.NextDouble());
                (p[0], p[1], p[2]) = ((float)cos, (float)sin, (float)((2.4 * random.NextDouble()) - 1.2));
                (p[3], p[4]) = ((float)(0.3 * random.NextNormal()), (float)(0.3 * random.NextNormal()));
            }
            else
            {
                for (var i = 0; i < 4; i++)
                    p[i] = (float)((i is 0 or 3 ? 1 : 0) + (0.1 * random.NextNormal()));
                (p[4], p[5]) = block == 0 ? (2f, 2f) : (0.05f, 0.05f);
            }
        }
        for (var i = 0; i < 2; i++)
            parameters[(blocks * PerBlock) + i] = (float)random.NextNormal();
        return new PlanarStack(kind, blocks, parameters);
    }

    /// <summary>Points of the square [−1.5, 1.5]², and whether each lies in the disc of radius 1.2, which is half of it.</summary>
    public static (Matrix Points, float[] Inside) Disc(int count, RandomStream random)
    {
        var points = new Matrix(count, 2);
        var inside = new float[count];
        for (var row = 0; row < count; row++)
        {
            (points[row, 0], points[row, 1]) = ((3 * random.NextDouble()) - 1.5, (3 * random.NextDouble()) - 1.5);
            inside[row] = IsInside(points[row, 0], points[row, 1]) ? 1 : 0;
        }
        return (points, inside);
    }

    /// <summary>Whether a point lies in the disc.</summary>
    public static bool IsInside(double x, double y) => (x * x) + (y * y) < 1.2 * 1.2;

    /// <summary>Trains on fresh points of the disc with Adam; the learning rate falls along a quarter cosine.</summary>
    public static PlanarStack Train(
        PlanarStack start,
        int steps,
        int batch,
        double rate,
        RandomStream random,
        CancellationToken cancellation
    )
    {
        var trained = new PlanarStack(start.Kind, start.Blocks, (float[])start._parameters.Clone());
        var parameters = trained._parameters;
        float[] first = new float[parameters.Length],
            second = new float[parameters.Length],
            path = new float[2 * (start.Blocks + 1)];
        for (var step = 0; step < steps; step++)
        {
            if (step % 64 == 0)
                cancellation.ThrowIfCancellationRequested();
            var gradient = new float[parameters.Length];
            for (var i = 0; i < batch; i++)
            {
                float x = (3 * random.NextSingle()) - 1.5f,
                    y = (3 * random.NextSingle()) - 1.5f;
                trained.Accumulate(x, y, IsInside(x, y) ? 1 : 0, 1f / batch, path, gradient);
            }
            var norm = System.Numerics.Tensors.TensorPrimitives.Norm<float>(gradient);
            // A deep stack of ReLUs has cliffs; a step is never longer than that of a gradient of norm one.
            var clip = norm > 1 ? 1 / norm : 1;
            var scale = (float)(
                rate * Math.Cos(Math.PI / 2 * step / steps) * Math.Sqrt(1 - Math.Pow(0.999, step + 1)) / (1 - Math.Pow(0.9, step + 1))
            );
            for (var i = 0; i < parameters.Length; i++)
            {
                var g = clip * gradient[i];
                first[i] += 0.1f * (g - first[i]);
                second[i] += 0.001f * ((g * g) - second[i]);
                parameters[i] -= scale * first[i] / (MathF.Sqrt(second[i]) + 1e-8f);
            }
        }
        return trained;
    }

    /// <summary>Share of points on whose side of the disc's edge the logit's sign is right.</summary>
    public double Accuracy(Matrix points, float[] inside) =>
        Run(points).Output.Data.Zip(inside, (logit, label) => (logit > 0) == (label > 0.5f) ? 1.0 : 0.0).Average();

    /// <summary>Mean logistic loss in nats over the points, and its gradient in the order of the parameters.</summary>
    internal (double Loss, float[] Gradient) Gradient(Matrix points, float[] inside)
    {
        var gradient = new float[_parameters.Length];
        var path = new float[2 * (Blocks + 1)];
        var loss = 0.0;
        for (var row = 0; row < points.Rows; row++)
            loss += Accumulate((float)points[row, 0], (float)points[row, 1], inside[row], 1f / points.Rows, path, gradient);
        return (loss / points.Rows, gradient);
    }

    /// <summary>The same network with one parameter moved: what a difference quotient needs.</summary>
    internal PlanarStack Moved(int parameter, float by)
    {
        var moved = (float[])_parameters.Clone();
        moved[parameter] += by;
        return new PlanarStack(Kind, Blocks, moved);
    }

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var x = inputs.Copy();
        for (var block = 0; block < Blocks; block++)
        {
            var p = _parameters.AsSpan(block * PerBlock, PerBlock).ToArray();
            if (Kind == PlanarBlock.OneNeuron)
            {
                var neuron = new Matrix(x.Rows, 1);
                for (var row = 0; row < x.Rows; row++)
                    neuron[row, 0] = Math.Max(0, (p[0] * x[row, 0]) + (p[1] * x[row, 1]) + p[2]);
                neuron = at($"blocks.{block}.hook_neuron", neuron);
                x = x.Copy();
                for (var row = 0; row < x.Rows; row++)
                    (x[row, 0], x[row, 1]) = (x[row, 0] + (p[3] * neuron[row, 0]), x[row, 1] + (p[4] * neuron[row, 0]));
            }
            else
            {
                var next = new Matrix(x.Rows, 2);
                for (var row = 0; row < x.Rows; row++)
                {
                    next[row, 0] = Math.Max(0, (p[0] * x[row, 0]) + (p[1] * x[row, 1]) + p[4]);
                    next[row, 1] = Math.Max(0, (p[2] * x[row, 0]) + (p[3] * x[row, 1]) + p[5]);
                }
                x = next;
            }
            x = at($"blocks.{block}.hook_resid", x);
        }
        var logit = new Matrix(x.Rows, 1);
        var read = _parameters.AsSpan(Blocks * PerBlock, 3);
        for (var row = 0; row < x.Rows; row++)
            logit[row, 0] = (read[0] * x[row, 0]) + (read[1] * x[row, 1]) + read[2];
        return logit;
    }

    /// <summary>Adds one point's gradient; returns its loss.</summary>
    private double Accumulate(float x, float y, float label, float weight, float[] path, float[] gradient)
    {
        (path[0], path[1]) = (x, y);
        for (var block = 0; block < Blocks; block++)
        {
            var p = _parameters.AsSpan(block * PerBlock, PerBlock);
            if (Kind == PlanarBlock.OneNeuron)
            {
                var active = Math.Max(0, (p[0] * x) + (p[1] * y) + p[2]);
                (x, y) = (x + (p[3] * active), y + (p[4] * active));
            }
            else
            {
                (x, y) = (Math.Max(0, (p[0] * x) + (p[1] * y) + p[4]), Math.Max(0, (p[2] * x) + (p[3] * y) + p[5]));
            }
            (path[2 * (block + 1)], path[(2 * (block + 1)) + 1]) = (x, y);
        }
        var read = _parameters.AsSpan(Blocks * PerBlock, 3);
        var logit = (read[0] * x) + (read[1] * y) + read[2];
        var error = weight * ((1 / (1 + MathF.Exp(-logit))) - label);
        var readGradient = gradient.AsSpan(Blocks * PerBlock, 3);
        (readGradient[0], readGradient[1], readGradient[2]) = (
            readGradient[0] + (error * x),
            readGradient[1] + (error * y),
            readGradient[2] + error
        );
        float backX = error * read[0],
            backY = error * read[1];
        for (var block = Blocks - 1; block >= 0; block--)
        {
            var p = _parameters.AsSpan(block * PerBlock, PerBlock);
            var g = gradient.AsSpan(block * PerBlock, PerBlock);
            (x, y) = (path[2 * block], path[(2 * block) + 1]);
            if (Kind == PlanarBlock.OneNeuron)
            {
                var active = (p[0] * x) + (p[1] * y) + p[2];
                if (active <= 0)
                    continue;
                g[3] += backX * active;
                g[4] += backY * active;
                var slope = (backX * p[3]) + (backY * p[4]);
                (g[0], g[1], g[2]) = (g[0] + (slope * x), g[1] + (slope * y), g[2] + slope);
                (backX, backY) = (backX + (slope * p[0]), backY + (slope * p[1]));
            }
            else
            {
                // The block's output is on the path: a ReLU that is off wrote 0 there.
                var upX = path[2 * (block + 1)] > 0 ? backX : 0;
                var upY = path[(2 * (block + 1)) + 1] > 0 ? backY : 0;
                (g[0], g[1], g[4]) = (g[0] + (upX * x), g[1] + (upX * y), g[4] + upX);
                (g[2], g[3], g[5]) = (g[2] + (upY * x), g[3] + (upY * y), g[5] + upY);
                (backX, backY) = ((upX * p[0]) + (upY * p[2]), (upX * p[1]) + (upY * p[3]));
            }
        }
        return Math.Log(1 + Math.Exp(-Math.Abs(logit))) + Math.Max(0, logit) - (label * logit);
    }
}
