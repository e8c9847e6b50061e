using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Gates;

/// <summary>The construction behind bits that are in superposition themselves: x = F·b, a = ReLU(Ŵ·x − k + 1) with Ŵ·F ≈ W.</summary>
/// <remarks>Vaintrob, Mendel and Hänni 2024, on inputs in superposition. Ŵ = W·R, where R reads every bit from x, its own as one.</remarks>
internal sealed class SuperposedGates
{
    private readonly Matrix _code;
    private readonly Matrix _weights;

    /// <summary>Puts the gates behind a code.</summary>
    /// <param name="gates">W, over m bits.</param>
    /// <param name="code">F's columns as rows. Shape: <c>[m, d₀]</c>.</param>
    /// <param name="readers">R. Shape: <c>[m, d₀]</c>.</param>
    public SuperposedGates(AndGates gates, Matrix code, Matrix readers)
    {
        if ((code.Rows, readers.Rows, readers.Columns) != (gates.Features, gates.Features, code.Columns))
        {
            throw new ArgumentException(
                $"a code of {code.Rows} × {code.Columns} and readers of {readers.Rows} × {readers.Columns} do not fit {gates.Features} bits",
                nameof(code)
            );
        }
        (Gates, _code, _weights) = (gates, code, new Matrix(gates.Neurons, code.Columns));
        for (var bit = 0; bit < gates.Features; bit++)
        {
            foreach (var neuron in gates.Readers(bit))
                TensorPrimitives.Add(_weights.Row(neuron), readers.Row(bit), _weights.Row(neuron));
        }
    }

    /// <summary>W.</summary>
    public AndGates Gates { get; }

    /// <summary>Random columns of norm one, nearly orthogonal: two of them have a cosine of variance 1/d₀. As rows. Shape: <c>[m, d₀]</c>.</summary>
    public static Matrix RandomCode(int features, int dimensions, RandomStream stream)
    {
        var code = stream.NormalMatrix(features, dimensions);
        for (var i = 0; i < features; i++)
            TensorPrimitives.Divide(code.Row(i), TensorPrimitives.Norm<double>(code.Row(i)), code.Row(i));
        return code;
    }

    /// <summary>
    /// The pseudo-inverse of F, each row scaled to read its own bit as one. Up to m = d₀ independent columns it reads no other bit, and the
    /// scale is one; above, F⁺·F is a projection, which alone would shrink every bit by about d₀/m. Shape: <c>[m, d₀]</c>.
    /// </summary>
    public static Matrix InverseReaders(Matrix code)
    {
        const double negligible = 1e-10;
        var (u, s, vt) = LinearAlgebra.Svd(code);
        for (var k = 0; k < s.Length; k++)
            TensorPrimitives.Multiply(vt.Row(k), s[k] > negligible * s[0] ? 1 / s[k] : 0, vt.Row(k));
        var readers = LinearAlgebra.Multiply(u, vt);
        for (var i = 0; i < readers.Rows; i++)
            TensorPrimitives.Divide(readers.Row(i), TensorPrimitives.Dot<double>(readers.Row(i), code.Row(i)), readers.Row(i));
        return readers;
    }

    /// <summary>Ŵ·F·b. Shape: <c>[d]</c>.</summary>
    public double[] PreActivations(ReadOnlySpan<int> active)
    {
        var x = new double[_code.Columns];
        foreach (var bit in active)
            TensorPrimitives.Add(x, _code.Row(bit), x);
        var neurons = new double[Gates.Neurons];
        for (var neuron = 0; neuron < neurons.Length; neuron++)
            neurons[neuron] = TensorPrimitives.Dot<double>(_weights.Row(neuron), x);
        return neurons;
    }

    /// <summary>Reads ANDs as <see cref="AndGates.Measure"/> does, and looks at the neurons before and behind the ReLU.</summary>
    /// <param name="active">ℓ, at least k.</param>
    /// <param name="rows">Random rows of ℓ active bits, each asked for one gate of every kind.</param>
    /// <param name="seed">The seed.</param>
    public SuperposedErrors Measure(int active, int rows, ulong seed)
    {
        var stream = new RandomStream(seed, "universal-and/superposed");
        var tally = new AndTally(Gates.FanIn);
        var quiet = new List<QuietRead>();
        double squares = 0,
            largest = 0;
        long silent = 0,
            misfires = 0;
        for (var row = 0; row < rows; row++)
        {
            var bits = Gates.Question(stream, active);
            var on = bits.AsSpan(0, active);
            double[] counts = Gates.Counts(on),
                before = PreActivations(on),
                activations = new double[before.Length];
            for (var neuron = 0; neuron < before.Length; neuron++)
            {
                activations[neuron] = Math.Max(before[neuron] - (Gates.FanIn - 1), 0);
                var interference = before[neuron] - counts[neuron];
                largest = Math.Max(largest, Math.Abs(interference));
                if (counts[neuron] > 0)
                    continue;
                silent++;
                squares += interference * interference;
                misfires += activations[neuron] > 0 ? 1 : 0;
            }
            for (var k = 0; k <= Gates.FanIn; k++)
            {
                var neurons = Gates.Common(Gates.Gate(bits, active, k));
                tally.Add(k, AndGates.Mean(neurons, activations));
                if (neurons.Count > 0 && neurons.All(neuron => counts[neuron] == 0))
                {
                    quiet.Add(
                        new QuietRead(
                            neurons.Max(neuron => Math.Abs(before[neuron])),
                            AndGates.Mean(neurons, activations),
                            AndGates.Mean(neurons, before)
                        )
                    );
                }
            }
        }
        return new SuperposedErrors(tally.Errors(), Math.Sqrt(squares / silent), (double)misfires / silent, largest, quiet);
    }
}

/// <summary>What superposition of the inputs does to the gates.</summary>
/// <param name="Errors">How wrong the read-outs are.</param>
/// <param name="Deviation">Root mean square of the interference in neurons that read no active bit; their pre-activation should be zero.</param>
/// <param name="Misfires">Share of these neurons that fire all the same.</param>
/// <param name="Largest">The largest |interference|, over all neurons.</param>
/// <param name="Quiet">Read-outs of gates whose neurons read no active bit.</param>
internal sealed record SuperposedErrors(
    AndErrors Errors,
    double Deviation,
    double Misfires,
    double Largest,
    IReadOnlyList<QuietRead> Quiet
);

/// <summary>A read-out that should be zero, of neurons that hold nothing but interference.</summary>
/// <param name="Interference">The largest |interference| of these neurons.</param>
/// <param name="Read">The read-out.</param>
/// <param name="Linear">What it would be without threshold and ReLU.</param>
internal sealed record QuietRead(double Interference, double Read, double Linear);
