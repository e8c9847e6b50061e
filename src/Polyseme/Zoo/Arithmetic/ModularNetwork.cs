using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Arithmetic;

/// <summary>What follows the first layer of a modular-addition network.</summary>
public enum ModularActivation
{
    /// <summary>The square, with which the task has an exact solution.</summary>
    Square,

    /// <summary>The ReLU.</summary>
    Relu,
}

/// <summary>A two-layer network on pairs (a, b) modulo p: pre = A[a] + B[b] + bias, h = φ(pre), logits = h·W.</summary>
/// <remarks>An input row is one-hot twice, width 2p: a at a, b at p + b. Hooks: <c>hook_pre</c>, <c>hook_post</c>.</remarks>
/// <param name="first">A. Shape: <c>[p, n_neurons]</c>.</param>
/// <param name="second">B. Shape: <c>[p, n_neurons]</c>.</param>
/// <param name="bias">Shape: <c>[n_neurons]</c>.</param>
/// <param name="output">W. Shape: <c>[n_neurons, p]</c>.</param>
/// <param name="activation">φ.</param>
public sealed class ModularNetwork(Matrix first, Matrix second, double[] bias, Matrix output, ModularActivation activation) : Network
{
    private readonly Matrix _input = Stacked(first, second);
    private readonly Matrix _bias = new(1, bias.Length, bias);

    /// <summary>p.</summary>
    public int Modulus => first.Rows;

    /// <summary>Neurons.</summary>
    public int Neurons => first.Columns;

    /// <summary>A. Shape: <c>[p, n_neurons]</c>.</summary>
    public Matrix First => first;

    /// <summary>B. Shape: <c>[p, n_neurons]</c>.</summary>
    public Matrix Second => second;

    /// <inheritdoc/>
    public override int InputWidth => 2 * Modulus;

    /// <inheritdoc/>
    public override IReadOnlyList<Hook> Hooks { get; } = [new Hook("hook_pre", first.Columns), new Hook("hook_post", first.Columns)];

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Matrix> Weights =>
        new Dictionary<string, Matrix>
        {
            ["A"] = first,
            ["B"] = second,
            ["bias"] = _bias,
            ["W"] = output,
        };

    /// <summary>All p² pairs, a by a. Shape: <c>[p², 2p]</c>.</summary>
    public static Matrix AllPairs(int modulus)
    {
        var pairs = new Matrix(modulus * modulus, 2 * modulus);
        for (var row = 0; row < pairs.Rows; row++)
        {
            pairs[row, row / modulus] = 1;
            pairs[row, modulus + (row % modulus)] = 1;
        }
        return pairs;
    }

    /// <summary>Share of all p² pairs whose largest logit is that of (a + b) mod p. In [0, 1].</summary>
    public double Accuracy()
    {
        var logits = Run(AllPairs(Modulus)).Output;
        var right = 0;
        for (var row = 0; row < logits.Rows; row++)
        {
            if (System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits.Row(row)) == ((row / Modulus) + (row % Modulus)) % Modulus)
                right++;
        }
        return (double)right / logits.Rows;
    }

    /// <inheritdoc/>
    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var pre = LinearAlgebra.Multiply(inputs, _input);
        for (var row = 0; row < pre.Rows; row++)
            System.Numerics.Tensors.TensorPrimitives.Add(pre.Row(row), bias, pre.Row(row));
        pre = at("hook_pre", pre);
        var post = new Matrix(pre.Rows, pre.Columns);
        for (var i = 0; i < post.Data.Length; i++)
            post.Data[i] = activation == ModularActivation.Square ? pre.Data[i] * pre.Data[i] : Math.Max(pre.Data[i], 0);
        return LinearAlgebra.Multiply(at("hook_post", post), output);
    }

    private static Matrix Stacked(Matrix above, Matrix below) =>
        new(above.Rows + below.Rows, above.Columns, [.. above.Data, .. below.Data]);
}
