using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Codes;

/// <summary>Configuration of <see cref="Packing"/>.</summary>
public sealed record PackingConfig : ZooConfig
{
    /// <summary>n. In 2 … 1,000.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 2, 1000);
    } = 64;

    /// <summary>d. In 2 … 128.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 2, 128);
    } = 16;

    /// <summary>Probability that a feature is active. In (0, 1].</summary>
    public double Density
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 0.03;

    /// <summary>Random starts of the code; the one with the smallest |cosine| is kept. In 1 … 1,000.</summary>
    public int Starts
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 4;

    /// <summary>Steps of a start. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 1500;
}

/// <summary>Sparse features sent along nearly orthogonal directions: superposition by construction.</summary>
public sealed class Packing : ZooMember
{
    private const int JudgedRows = 100_000;

    /// <inheritdoc/>
    public override string Name => "packing";

    /// <inheritdoc/>
    public override string Summary => "sparse features along a code of nearly orthogonal directions: superposition, planted";

    /// <inheritdoc/>
    public override string Source => "Welch 1974; Rankin 1955; the tables of Sloane; superposition planted along an optimised code";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new PackingConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var packing = Of<PackingConfig>(config);
        if (packing.Features < packing.Neurons)
            throw new ArgumentException($"Features is {packing.Features}; it is at least Neurons, {packing.Neurons}", nameof(config));
        var welch = CodeBounds.Welch(packing.Neurons, packing.Features);
        var code = SphericalCode.Optimise(
            packing.Neurons,
            packing.Features,
            lines: true,
            packing.Starts,
            packing.Steps,
            packing.Seed,
            welch,
            cancellation
        );
        var shape = new ToyShape(
            packing.Features,
            packing.Neurons,
            HiddenRelu: false,
            OutputRelu: true,
            ToyShape.Uniform(packing.Features)
        );
        var network = new ToyNetwork(shape, new ToyParameters(code.Directions, new double[packing.Features]));
        var inputs = new ToyInputs.Fresh(packing.Density) { Low = 0.2f };
        var sample = ZooSample.Inputs(inputs, packing.Features, packing.Samples, packing.Seed, "packing/sample");
        return new ZooRun
        {
            Member = Name,
            Config = packing,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth(packing, code),
            Activations = ZooSample.Activations(network, "hook_hidden", sample),
            Features = ZooSample.Features(sample, [.. Enumerable.Range(0, packing.Features)]),
            Acceptances = Acceptances(
                packing,
                code,
                network,
                ZooSample.Inputs(inputs, packing.Features, JudgedRows, packing.Seed, "packing/judge")
            ),
        };
    }

    private static GroundTruth Truth(PackingConfig config, SphericalCode code)
    {
        var superposed = config.Features > config.Neurons;
        return new GroundTruth
        {
            Cause = superposed ? Cause.Superposition : Cause.Rotated,
            Accepted = superposed
                ? new Dictionary<AccessLevel, IReadOnlyList<string>> { [AccessLevel.A] = ["superposition"] }
                : new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "undetermined"],
                    [AccessLevel.C] = ["rotated"],
                },
            Reason = superposed
                ? $"{config.Features} independent features along {config.Features} lines in {config.Neurons} dimensions, the closest two at cosine {code.MaxCosine:F3}: their number is identifiable from activations alone, and they add exactly."
                : $"{config.Features} orthogonal directions in {config.Neurons} dimensions that no neuron is special in.",
            Directions = code.Directions,
            NLine = config.Features,
            NRay = config.Features,
        };
    }

    private static List<Acceptance> Acceptances(PackingConfig config, SphericalCode code, ToyNetwork network, SparseRows rows)
    {
        const string derived = "the best linear probe of feature i has R² = its leverage, and leverages sum to the rank; derived";
        var r2 = LinearR2(code.Directions, rows);
        var welch = CodeBounds.Welch(config.Neurons, config.Features);
        return
        [
            new("linear R² summed over features, per dimension", r2.Sum() / config.Neurons, 0.99, 1.01, derived),
            new(
                "additivity defect of the layer",
                AdditivityDefect.Mean(network, "hook_hidden") ?? double.NaN,
                0,
                1e-20,
                "a linear layer adds; derived"
            ),
            new("largest |cosine| over Welch's bound", welch == 0 ? 1 : code.MaxCosine / welch, 1 - 1e-9, 10, "Welch 1974"),
        ];
    }

    /// <summary>R² of the best linear read-out of every feature from h = xW, from second moments of the rows: c_iᵀ Σ_h⁻¹ c_i / σ_i².</summary>
    private static double[] LinearR2(Matrix directions, SparseRows rows)
    {
        var (n, d) = (directions.Rows, directions.Columns);
        var cross = new Matrix(n, d); // Σ x_i h
        var moment = new Matrix(d, d); // Σ h hᵀ
        double[] hidden = new double[d],
            meanHidden = new double[d],
            mean = new double[n],
            square = new double[n];
        for (var row = 0; row < rows.Count; row++)
        {
            Array.Clear(hidden);
            for (var entry = rows.Start[row]; entry < rows.Start[row + 1]; entry++)
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(
                    directions.Row(rows.Feature[entry]),
                    (double)rows.Value[entry],
                    hidden,
                    hidden
                );
            for (var entry = rows.Start[row]; entry < rows.Start[row + 1]; entry++)
            {
                var (feature, value) = (rows.Feature[entry], (double)rows.Value[entry]);
                mean[feature] += value / rows.Count;
                square[feature] += value * value / rows.Count;
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(hidden, value / rows.Count, cross.Row(feature), cross.Row(feature));
            }
            for (var k = 0; k < d; k++)
            {
                meanHidden[k] += hidden[k] / rows.Count;
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(hidden, hidden[k] / rows.Count, moment.Row(k), moment.Row(k));
            }
        }
        for (var k = 0; k < d; k++)
        {
            for (var l = 0; l < d; l++)
                moment[k, l] -= meanHidden[k] * meanHidden[l];
            for (var i = 0; i < n; i++)
                cross[i, k] -= mean[i] * meanHidden[k];
        }
        var (values, vectors) = LinearAlgebra.SymmetricEigen(moment);
        var projected = LinearAlgebra.Multiply(cross, vectors);
        return
        [
            .. Enumerable
                .Range(0, n)
                .Select(i =>
                {
                    var explained = 0.0;
                    for (var k = 0; k < d; k++)
                        explained += values[k] > 1e-12 * values[0] ? projected[i, k] * projected[i, k] / values[k] : 0;
                    return explained / (square[i] - (mean[i] * mean[i]));
                }),
        ];
    }
}
