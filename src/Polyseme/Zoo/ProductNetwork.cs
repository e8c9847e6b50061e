using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="ProductNetwork"/>.</summary>
public sealed record ProductNetworkConfig : ZooConfig
{
    /// <summary>K, the ReLUs per square; even. In 2 … 1,024.</summary>
    public int K
    {
        get;
        init => field = Allowed.Between(value, 2, 1024);
    } = 16;

    /// <summary>The layer that is diagnosed: <c>hook_pre</c> or <c>hook_post</c>.</summary>
    public string Hook
    {
        get;
        init => field = Allowed.OneOf(value, ["hook_pre", "hook_post"]);
    } = "hook_pre";
}

/// <summary>x·y by hand: the difference of two squares, each a sum of ReLUs. Neurons mix x and y, and a rotation by 45° undoes it.</summary>
public sealed class ProductNetwork : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "xy";

    /// <inheritdoc/>
    public override string Summary =>
        "a network that multiplies, built by hand: its neurons mix x and y, in a plane that a rotation undoes";

    /// <inheritdoc/>
    public override string Source => "xy = ((x + y)² − (x − y)²)/4, each square interpolated by ReLUs; the rotated case of a product";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new ProductNetworkConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var product = Of<ProductNetworkConfig>(config);
        if (product.K % 2 != 0)
            throw new ArgumentException($"K is {product.K}; it is even, half of the ReLUs for each sign", nameof(config));
        cancellation.ThrowIfCancellationRequested();
        var network = new SquareDifference(product.K);
        var inputs = Inputs(product.Samples, new RandomStream(product.Seed, "xy/sample"));
        var trace = network.Run(inputs, ["hook_pre", "hook_post"]);
        return new ZooRun
        {
            Member = Name,
            Config = product,
            Network = network,
            Hook = product.Hook,
            Truth = Truth(product.Hook, network),
            Activations = ActivationSet.FromMatrix(trace.Recorded[product.Hook]),
            Features = new ConceptTable(
                inputs.Rows,
                [new Concept("x", ConceptKind.Numeric, inputs.Column(0)), new Concept("y", ConceptKind.Numeric, inputs.Column(1))]
            ),
            Acceptances = Acceptances(product.K, network),
        };
    }

    private static GroundTruth Truth(string hook, SquareDifference network) =>
        hook == "hook_pre"
            ? new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "undetermined"],
                    [AccessLevel.C] = ["rotated"],
                },
                Reason =
                    "two independent features, x and y, in a plane: every neuron reads x + y or x − y, so each fires on both, and one rotation of the plane recovers both exactly. Without concepts, that the two independent sources are the features is a guess.",
                Subtypes = ["orthogonal"],
                Directions = network.InputWeights.Transpose(),
                NLine = 2,
                NRay = 2,
            }
            : new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "nonlinear", "undetermined"],
                    [AccessLevel.C] = ["rotated", "nonlinear"],
                },
                Reason =
                    "behind the ReLUs each unit is a piece of x + y or of x − y, and the units together span functions of both: x, y and xy are all linear there, so rotated; but the plane of x and y has become a curved sheet, and calling that non-linear is right as well.",
                NLine = 2,
                NRay = 2,
            };

    private static List<Acceptance> Acceptances(int k, SquareDifference network)
    {
        const string source = "interpolating u² at knots 4/K errs by at most (4/K)²/4; derived";
        // The error is largest where one square is halfway between knots and the other on a knot: a grid of an eighth of a knot has such points.
        var steps = 4 * k;
        var worst = 0.0;
        var grid = new Matrix((steps + 1) * (steps + 1), 2);
        for (var i = 0; i <= steps; i++)
        {
            for (var j = 0; j <= steps; j++)
                (grid[(i * (steps + 1)) + j, 0], grid[(i * (steps + 1)) + j, 1]) = ((2.0 * i / steps) - 1, (2.0 * j / steps) - 1);
        }
        var output = network.Run(grid).Output;
        for (var row = 0; row < grid.Rows; row++)
            worst = Math.Max(worst, Math.Abs(output[row, 0] - (grid[row, 0] * grid[row, 1])));
        return
        [
            new("largest error of the product, times K²", worst * k * k, 0.99, 1.01, source),
            new("rank of the input weights", Rank(network.InputWeights), 2, 2, source),
        ];
    }

    private static int Rank(Matrix weights)
    {
        var singular = LinearAlgebra.Svd(weights).S;
        return singular.Count(value => value > 1e-12 * singular[0]);
    }

    private static Matrix Inputs(int count, RandomStream stream)
    {
        var inputs = new Matrix(count, 2);
        for (var i = 0; i < inputs.Data.Length; i++)
            inputs.Data[i] = (2 * stream.NextDouble()) - 1;
        return inputs;
    }
}

/// <summary>The construction: K ReLUs on x + y and K on x − y, read out as a quarter of the difference of their squares.</summary>
/// <remarks>Hooks: <c>hook_pre</c> before the ReLUs (rank 2), <c>hook_post</c> after them.</remarks>
internal sealed class SquareDifference : Network
{
    private readonly Matrix _bias;
    private readonly Matrix _read;

    public SquareDifference(int k)
    {
        var knot = 4.0 / k;
        InputWeights = new Matrix(2 * k, 2);
        _bias = new Matrix(1, 2 * k);
        _read = new Matrix(2 * k, 1);
        for (var unit = 0; unit < 2 * k; unit++)
        {
            // The first K units read u = x + y, the others x − y; within each, half rise to the right and half to the left.
            var (square, sign, step) = (unit / k, unit % k < k / 2 ? 1 : -1, unit % (k / 2));
            InputWeights[unit, 0] = sign;
            InputWeights[unit, 1] = square == 0 ? sign : -sign;
            _bias[0, unit] = -step * knot;
            // u² has slope h on the first piece, and each knot adds 2h.
            _read[unit, 0] = (square == 0 ? 1 : -1) * (step == 0 ? knot : 2 * knot) / 4;
        }
        Hooks = [new Hook("hook_pre", 2 * k), new Hook("hook_post", 2 * k)];
    }

    /// <summary>Shape: <c>[2K, 2]</c>.</summary>
    public Matrix InputWeights { get; }

    public override int InputWidth => 2;

    public override IReadOnlyList<Hook> Hooks { get; }

    public override IReadOnlyDictionary<string, Matrix> Weights =>
        new Dictionary<string, Matrix>
        {
            ["W_in"] = InputWeights,
            ["b_in"] = _bias,
            ["W_out"] = _read,
        };

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var before = LinearAlgebra.MultiplyTranspose(inputs, InputWeights);
        for (var row = 0; row < before.Rows; row++)
        {
            for (var unit = 0; unit < before.Columns; unit++)
                before[row, unit] += _bias[0, unit];
        }
        before = at("hook_pre", before);
        var after = before.Copy();
        for (var i = 0; i < after.Data.Length; i++)
            after.Data[i] = Math.Max(after.Data[i], 0);
        return LinearAlgebra.Multiply(at("hook_post", after), _read);
    }
}
