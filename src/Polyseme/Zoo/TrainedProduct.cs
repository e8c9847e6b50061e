using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="TrainedProduct"/>.</summary>
public sealed record TrainedProductConfig : LayerNetConfig
{
    /// <summary>Four models of 10,000 steps of 256 rows at 5e-3.</summary>
    public TrainedProductConfig() => LearningRate = 5e-3;

    /// <summary>Neurons. In 2 … 1,000.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 2, 1000);
    } = 32;

    /// <summary>The layer that is diagnosed: <c>hook_pre</c> or <c>hook_post</c>.</summary>
    public string Hook
    {
        get;
        init => field = Allowed.OneOf(value, ["hook_pre", "hook_post"]);
    } = "hook_pre";
}

/// <summary>x·y as training finds it: two numbers in one layer of ReLU neurons.</summary>
public sealed class TrainedProduct : ZooMember
{
    private const string Derived = "xy = ((x + y)² − (x − y)²)/4; derived";

    /// <inheritdoc/>
    public override string Name => "xy-trained";

    /// <inheritdoc/>
    public override string Summary => "a network trained to multiply: do its neurons read x + y and x − y, as the construction's do?";

    /// <inheritdoc/>
    public override string Source => "xy = ((x + y)² − (x − y)²)/4; the rotated case of a product, trained";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new TrainedProductConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var product = Of<TrainedProductConfig>(config);
        var setting = Setting(product);
        var trained = setting.Train(product.Seed, progress, cancellation);
        var network = new LayerNetwork(trained.Shape, trained.Best.Parameters);
        var inputs = setting.Fresh(product.Samples, product.Seed, "layer-net/sample").Inputs;
        var labels = ProductLabels.Of(trained, setting, product.Seed);
        return new ZooRun
        {
            Member = Name,
            Config = product,
            Network = network,
            Hook = product.Hook,
            Truth = Truth(product, trained, labels),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, [product.Hook]).Recorded[product.Hook]),
            Features = new ConceptTable(
                inputs.Rows,
                [new Concept("x", ConceptKind.Numeric, inputs.Column(0)), new Concept("y", ConceptKind.Numeric, inputs.Column(1))]
            ),
            Acceptances =
            [
                new("rank of the input weights", Rank(trained.Best.Parameters.W1), 2, 2, Derived),
                new("share of live neurons that x and y both label", labels.TwoOfXY, 0.9, 1, Derived),
            ],
            Curve = trained.Best.Curve,
            SeedLosses = trained.Losses,
            Diverged = trained.Diverged,
        };
    }

    /// <summary>The population of a configuration.</summary>
    internal static LayerNetSetting Setting(TrainedProductConfig config) =>
        new()
        {
            Training = new LayerNetTraining
            {
                Shape = new LayerNetShape
                {
                    Inputs = 2,
                    Hidden = config.Hidden,
                    Outputs = 1,
                },
                Inputs = new LayerNetInputs.Reals(1, -1, 1),
                Targets = new LayerNetTargets.Products([(0, 1)]),
                Batch = config.Batch,
                Steps = config.Steps,
                LearningRate = config.LearningRate,
            },
            Seeds = config.Seeds,
        };

    private static int Rank(Matrix weights)
    {
        var singular = LinearAlgebra.Svd(weights).S;
        return singular.Count(value => value > 1e-6 * singular[0]);
    }

    private static GroundTruth Truth(TrainedProductConfig config, LayerNetPopulation trained, ProductLabels labels)
    {
        var counts =
            $"{config.Steps} steps, loss over the product's variance {trained.NormalisedLosses[trained.BestIndex]:G3}; {labels.Aligned:P0} of the live neurons read x + y or x − y";
        return config.Hook == "hook_pre"
            ? new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "undetermined"],
                    [AccessLevel.C] = ["rotated"],
                },
                Reason =
                    $"{counts}. Two independent features in a plane, of which every neuron reads a line: a linear map recovers both exactly. Without concepts, that the two sources are the features is a guess.",
                Directions = trained.Best.Parameters.W1.Transpose(),
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
                Reason = $"{counts}. Behind the ReLUs the plane has become a curved sheet on which x, y and xy are all linear.",
                NLine = 2,
                NRay = 2,
            };
    }
}

/// <summary>What the live neurons of a trained product answer to, as shares of them.</summary>
/// <param name="Live">Live neurons.</param>
/// <param name="Aligned">Those whose input weights lie along (1, ±1), |cos| above .98.</param>
/// <param name="TwoOfXY">Those that tell large from small of x, and of y: contrast of at least a fifth of their spread for each.</param>
/// <param name="TwoOfSums">Those that tell large from small of x + y, and of x − y.</param>
internal sealed record ProductLabels(int Live, double Aligned, double TwoOfXY, double TwoOfSums)
{
    private const double Contrast = 0.2;

    /// <summary>Labels the best model's neurons on fresh rows.</summary>
    public static ProductLabels Of(LayerNetPopulation trained, LayerNetSetting setting, ulong seed)
    {
        var inputs = setting.Fresh(20_000, seed, "layer-net/labels").Inputs;
        var parameters = trained.Best.Parameters;
        var hidden = LayerNetReference.Run(trained.Shape, parameters, inputs).Hidden;
        double[] x = inputs.Column(0),
            y = inputs.Column(1);
        double[] sum = [.. x.Zip(y, (a, b) => a + b)],
            difference = [.. x.Zip(y, (a, b) => a - b)];
        int live = 0,
            aligned = 0,
            plain = 0,
            rotated = 0;
        for (var neuron = 0; neuron < hidden.Columns; neuron++)
        {
            var h = hidden.Column(neuron);
            if (h.Max() * Math.Abs(parameters.W2[0, neuron]) < 1e-2)
                continue;
            live++;
            var (a, b) = (parameters.W1[neuron, 0], parameters.W1[neuron, 1]);
            aligned += Math.Max(Math.Abs(a + b), Math.Abs(a - b)) / Math.Sqrt(2 * ((a * a) + (b * b))) > 0.98 ? 1 : 0;
            plain += Tells(h, x) && Tells(h, y) ? 1 : 0;
            rotated += Tells(h, sum) && Tells(h, difference) ? 1 : 0;
        }
        double Share(int count) => live == 0 ? 0 : (double)count / live;
        return new ProductLabels(live, Share(aligned), Share(plain), Share(rotated));
    }

    /// <summary>Whether the neuron's means over the upper and the lower half of a quantity differ.</summary>
    private static bool Tells(double[] activations, double[] quantity)
    {
        double high = 0,
            low = 0,
            squares = 0;
        var above = 0;
        for (var row = 0; row < activations.Length; row++)
        {
            squares += activations[row] * activations[row];
            if (quantity[row] > 0)
                (high, above) = (high + activations[row], above + 1);
            else
                low += activations[row];
        }
        var mean = (high + low) / activations.Length;
        var spread = Math.Sqrt((squares / activations.Length) - (mean * mean));
        return Math.Abs((high / above) - (low / (activations.Length - above))) >= Contrast * spread;
    }
}
