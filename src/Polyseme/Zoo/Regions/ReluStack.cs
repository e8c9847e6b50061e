using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>A fully connected ReLU network: layers of units, then a linear read-out.</summary>
/// <remarks>Hooks: <c>blocks.k.hook_pre</c> and <c>blocks.k.hook_post</c> of every hidden layer.</remarks>
internal sealed class ReluStack : Network
{
    private readonly Matrix[] _weights; // [fan_in, fan_out] each
    private readonly Matrix[] _biases; // [1, fan_out] each

    /// <summary>Wraps weights and biases, the read-out's last.</summary>
    public ReluStack(IReadOnlyList<Matrix> weights, IReadOnlyList<Matrix> biases)
    {
        (_weights, _biases) = ([.. weights], [.. biases]);
        Hooks =
        [
            .. Enumerable
                .Range(0, HiddenLayers)
                .SelectMany(layer =>
                    new[]
                    {
                        new Hook($"blocks.{layer}.hook_pre", _weights[layer].Columns),
                        new Hook($"blocks.{layer}.hook_post", _weights[layer].Columns),
                    }
                ),
        ];
    }

    public override int InputWidth => _weights[0].Rows;

    public override IReadOnlyList<Hook> Hooks { get; }

    /// <summary>Hidden layers.</summary>
    public int HiddenLayers => _weights.Length - 1;

    /// <summary>Hidden units of all layers.</summary>
    public int HiddenUnits => _weights[..^1].Sum(weight => weight.Columns);

    public override IReadOnlyDictionary<string, Matrix> Weights =>
        _weights
            .Select((weight, layer) => (Name: $"W_{layer}", weight))
            .Concat(_biases.Select((bias, layer) => (Name: $"b_{layer}", bias)))
            .ToDictionary(pair => pair.Name, pair => pair.Item2);

    /// <summary>The spline code: which hidden units are active. Shape: <c>[n_samples][hidden units]</c>.</summary>
    /// <remarks>Balestriero and Baraniuk 2018; Black et al. 2022, "Interpreting neural networks through the polytope lens".</remarks>
    public bool[][] Codes(Matrix inputs)
    {
        var names = Enumerable.Range(0, HiddenLayers).Select(layer => $"blocks.{layer}.hook_pre").ToArray();
        var recorded = Run(inputs, names).Recorded;
        var codes = new bool[inputs.Rows][];
        for (var row = 0; row < codes.Length; row++)
        {
            var code = new List<bool>(HiddenUnits);
            foreach (var name in names)
            {
                foreach (var value in recorded[name].Row(row))
                    code.Add(value > 0);
            }
            codes[row] = [.. code];
        }
        return codes;
    }

    /// <summary>Where hidden units change sign on the way from one point to another, as fractions of the way, ascending: exact for any depth.</summary>
    /// <remarks>
    /// Between two changes of the layers below, a unit's pre-activation is affine along the way, so its zero is known from two values.
    /// </remarks>
    public double[] Crossings(ReadOnlySpan<double> from, ReadOnlySpan<double> to)
    {
        var (start, end) = (from.ToArray(), to.ToArray());
        List<double> cuts = [0, 1];
        for (var layer = 0; layer < HiddenLayers; layer++)
        {
            var found = new List<double>();
            var along = new Matrix(2 * (cuts.Count - 1), start.Length);
            // Two points inside each piece: at its ends a unit below is exactly at zero.
            for (var piece = 0; piece + 1 < cuts.Count; piece++)
            {
                for (var end2 = 0; end2 < 2; end2++)
                {
                    var t = Inside(cuts, piece, end2);
                    for (var j = 0; j < start.Length; j++)
                        along[(2 * piece) + end2, j] = start[j] + (t * (end[j] - start[j]));
                }
            }
            var hook = $"blocks.{layer}.hook_pre";
            var pre = Run(along, [hook]).Recorded[hook];
            for (var piece = 0; piece + 1 < cuts.Count; piece++)
            {
                double t0 = Inside(cuts, piece, 0),
                    t1 = Inside(cuts, piece, 1);
                for (var unit = 0; unit < pre.Columns; unit++)
                {
                    double a = pre[2 * piece, unit],
                        b = pre[(2 * piece) + 1, unit];
                    if (a == b)
                        continue;
                    var zero = t0 - (a * (t1 - t0) / (b - a));
                    if (zero > cuts[piece] && zero <= cuts[piece + 1] && zero < 1)
                        found.Add(zero);
                }
            }
            cuts = [.. cuts.Concat(found).Order()];
        }
        return [.. cuts.Skip(1).SkipLast(1)];
        static double Inside(List<double> cuts, int piece, int which) =>
            cuts[piece] + ((which == 0 ? 0.25 : 0.75) * (cuts[piece + 1] - cuts[piece]));
    }

    /// <summary>Number of the largest output of every row.</summary>
    public static int[] Largest(Matrix outputs) =>
        [.. Enumerable.Range(0, outputs.Rows).Select(row => System.Numerics.Tensors.TensorPrimitives.IndexOfMax<double>(outputs.Row(row)))];

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var values = inputs;
        for (var layer = 0; layer < _weights.Length; layer++)
        {
            values = LinearAlgebra.Multiply(values, _weights[layer]);
            for (var row = 0; row < values.Rows; row++)
            for (var j = 0; j < values.Columns; j++)
                values[row, j] += _biases[layer][0, j];
            if (layer == HiddenLayers)
                break;
            values = at($"blocks.{layer}.hook_pre", values);
            var post = values.Copy();
            for (var i = 0; i < post.Data.Length; i++)
                post.Data[i] = Math.Max(post.Data[i], 0);
            values = at($"blocks.{layer}.hook_post", post);
        }
        return values;
    }
}
