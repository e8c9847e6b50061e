using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="AbsoluteValue"/>.</summary>
public sealed record AbsoluteValueConfig : LayerNetConfig
{
    /// <summary>Twelve models of 6,000 steps of 512 rows at .01; the best on fresh rows is kept.</summary>
    public AbsoluteValueConfig() => (Seeds, Steps, Batch, LearningRate) = (12, 6000, 512, 1e-2);

    /// <summary>n. In 1 … 200.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 1, 200);
    } = 20;

    /// <summary>m, the neurons. In 1 … 400.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 1, 400);
    } = 8;

    /// <summary>1 − S, the probability that a feature is active. In (0, 1].</summary>
    public double Density
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 0.03;

    /// <summary>Importance of feature i is this to the power i. In (0, 1].</summary>
    public double ImportanceDecay
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 0.8;
}

/// <summary>|x| of sparse features, computed in fewer neurons than it needs one feature at a time.</summary>
public sealed class AbsoluteValue : ZooMember
{
    private const string Paper = "Elhage et al. 2022; reference program";

    /// <summary>Losses of the best of twelve by density, n = 20, m = 8, I = .8^i.</summary>
    internal static readonly (double Density, double Loss)[] ReferenceLosses =
    [
        (1, 0.166),
        (0.5, 0.207),
        (0.3, 0.154),
        (0.1, 0.049),
        (0.03, 0.018),
        (0.01, 0.006),
    ];

    /// <inheritdoc/>
    public override string Name => "tms-abs";

    /// <inheritdoc/>
    public override string Summary => "|x| of twenty sparse features in eight ReLU neurons: computation in superposition";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on computation in superposition";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new AbsoluteValueConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var absolute = Of<AbsoluteValueConfig>(config);
        var setting = Setting(absolute);
        var trained = setting.Train(absolute.Seed, progress, cancellation);
        var neurons = AbsoluteNeurons.Of(trained.Best.Parameters);
        var network = new LayerNetwork(trained.Shape, trained.Best.Parameters);
        var inputs = setting.Fresh(absolute.Samples, absolute.Seed, "layer-net/sample").Inputs;
        return new ZooRun
        {
            Member = Name,
            Config = absolute,
            Network = network,
            Hook = "hook_post",
            Truth = Truth(absolute, trained, neurons),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, ["hook_post"]).Recorded["hook_post"]),
            Features = LayerNetSample.Features(inputs),
            Acceptances = Acceptances(absolute, trained, neurons),
            Curve = trained.Best.Curve,
            SeedLosses = trained.Losses,
            Diverged = trained.Diverged,
        };
    }

    /// <summary>h = ReLU(W₁x), y' = ReLU(W₂h + b).</summary>
    internal static LayerNetSetting Setting(AbsoluteValueConfig config) =>
        new()
        {
            Training = new LayerNetTraining
            {
                Shape = new LayerNetShape
                {
                    Inputs = config.Features,
                    Hidden = config.Hidden,
                    Outputs = config.Features,
                    HiddenBias = false,
                    OutputRelu = true,
                    Importance = [.. Enumerable.Range(0, config.Features).Select(i => (float)Math.Pow(config.ImportanceDecay, i))],
                },
                Inputs = new LayerNetInputs.Reals(config.Density, -1, 1),
                Targets = new LayerNetTargets.Absolute(),
                Batch = config.Batch,
                Steps = config.Steps,
                LearningRate = config.LearningRate,
            },
            Seeds = config.Seeds,
            Judged = 50_000,
        };

    /// <summary>
    /// Directions are those in which a feature moves the layer: its positive and its negative side are two rays, on two lines unless one neuron
    /// pair serves both.
    /// </summary>
    private static GroundTruth Truth(AbsoluteValueConfig config, LayerNetPopulation trained, AbsoluteNeurons neurons)
    {
        var directions = Sides(trained.Best.Parameters.W1, neurons.FeaturesRead);
        var all = Enumerable.Range(0, directions.Rows).Where(i => FeatureGeometry.SquaredNorm(directions, i) > 1e-3).ToArray();
        var (lines, rays) = FeatureGeometry.Count(directions, all);
        var counts =
            $"{config.Steps} steps, loss {trained.Loss:G3}: {neurons.FeaturesRead.Count} features read out, {neurons.Monosemantic} monosemantic and {neurons.Polysemantic} polysemantic neurons";
        return lines > config.Hidden
            ? new GroundTruth
            {
                Cause = Cause.Superposition,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["superposition", "undetermined"],
                    [AccessLevel.C] = ["superposition", "nonlinear"],
                },
                Reason =
                    $"{counts}; each side of a feature is a ray of its own, {lines} lines in {config.Hidden} neurons. A signed feature behind a ReLU lies on two rays: no line carries it, so that calling it non-linear is right as well.",
                Directions = directions,
                NLine = lines,
                NRay = rays,
            }
            : new GroundTruth
            {
                Cause = neurons.Polysemantic == 0 ? Cause.Monosemantic : Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = neurons.Polysemantic == 0 ? ["monosemantic", "undetermined"] : ["rotated", "undetermined"],
                    [AccessLevel.C] = neurons.Polysemantic == 0 ? ["monosemantic"] : ["rotated", "nonlinear"],
                },
                Reason =
                    neurons.Polysemantic == 0
                        ? $"{counts}; each neuron reads one side of one feature. Without concepts, that what is seen is a feature is a guess."
                        : $"{counts}; {lines} lines in {config.Hidden} neurons.",
                Directions = directions,
                NLine = lines,
                NRay = rays,
            };
    }

    /// <summary>ReLU(W₁e_i) and ReLU(−W₁e_i) of the features read out. Shape: <c>[2·features, n_neurons]</c>.</summary>
    private static Matrix Sides(Matrix w1, IReadOnlyList<int> features)
    {
        var sides = new Matrix(2 * features.Count, w1.Rows);
        for (var i = 0; i < features.Count; i++)
        {
            for (var neuron = 0; neuron < w1.Rows; neuron++)
            {
                var weight = w1[neuron, features[i]];
                (sides[2 * i, neuron], sides[(2 * i) + 1, neuron]) = (Math.Max(weight, 0), Math.Max(-weight, 0));
            }
        }
        return sides;
    }

    /// <summary>What the configuration must reproduce; nothing for sizes that nobody has published.</summary>
    internal static List<Acceptance> Acceptances(AbsoluteValueConfig config, LayerNetPopulation trained, AbsoluteNeurons neurons)
    {
        var acceptances = new List<Acceptance>();
        if (config is { Features: 3, Hidden: 6, ImportanceDecay: 1 } && config.Density == 0.5)
        {
            acceptances.Add(new("loss at n = 3, m = 6", trained.Loss, 0, 1e-10, Paper));
            acceptances.Add(new("neurons with exactly one input weight", neurons.Monosemantic, 6, 6, Paper));
            acceptances.Add(new("features with a neuron for each sign", neurons.Pairs, 3, 3, Paper));
            acceptances.Add(new("largest |w₁w₂|", neurons.Gains.Max(), 0.99, 1.01, Paper));
            acceptances.Add(new("smallest |w₁w₂|", neurons.Gains.Min(), 0.99, 1.01, Paper));
        }
        if (config is not { Features: 20, Hidden: 8, ImportanceDecay: 0.8, Steps: >= 5000 })
            return acceptances;
        foreach (var (density, loss) in ReferenceLosses)
        {
            if (density != config.Density)
                continue;
            if (density >= 0.5)
            {
                acceptances.Add(new("monosemantic neurons", neurons.Monosemantic, 8, 8, Paper));
                acceptances.Add(new("features read out", neurons.FeaturesRead.Count, 4, 4, Paper));
            }
            if (density <= 0.1)
            {
                acceptances.Add(new("polysemantic neurons", neurons.Polysemantic, 7, 8, Paper));
                acceptances.Add(new("features read out, more than neurons or as many", neurons.FeaturesRead.Count, 8, 20, Paper));
            }
            if (density == 0.03)
                acceptances.Add(new("neurons with the asymmetric motif", neurons.Motifs, 4, 8, Paper));
            acceptances.Add(new("loss", trained.Loss, 0.9 * loss, 1.1 * loss, Paper));
        }
        return acceptances;
    }
}

/// <summary>What the neurons of a network for |x| do with their features.</summary>
/// <param name="Monosemantic">Neurons whose second largest input weight is at most a tenth of the largest.</param>
/// <param name="Polysemantic">The other live neurons.</param>
/// <param name="FeaturesRead">Features that the network answers with at least a quarter of their size, on average over both signs.</param>
/// <param name="Motifs">Neurons that two features drive and are read from, the stronger weight at least twice the weaker.</param>
/// <param name="Pairs">Features with one monosemantic neuron for each sign.</param>
/// <param name="Gains">|w₁w₂| of each monosemantic neuron at its own feature.</param>
internal sealed record AbsoluteNeurons(
    int Monosemantic,
    int Polysemantic,
    IReadOnlyList<int> FeaturesRead,
    int Motifs,
    int Pairs,
    IReadOnlyList<double> Gains
)
{
    private const double Secondary = 0.1;

    /// <summary>Counts them.</summary>
    public static AbsoluteNeurons Of(LayerNetParameters parameters)
    {
        var (w1, w2) = (parameters.W1, parameters.W2);
        int monosemantic = 0,
            polysemantic = 0,
            motifs = 0;
        var gains = new List<double>();
        var signs = new HashSet<(int Feature, bool Positive)>();
        for (var neuron = 0; neuron < w1.Rows; neuron++)
        {
            var order = Enumerable.Range(0, w1.Columns).OrderByDescending(i => Math.Abs(w1[neuron, i])).ToArray();
            var primary = w1[neuron, order[0]];
            if (Math.Abs(primary) * Largest(w2, neuron) < 1e-2)
                continue;
            var second = order.Length > 1 ? Math.Abs(w1[neuron, order[1]] / primary) : 0;
            if (second <= Secondary)
            {
                monosemantic++;
                gains.Add(Math.Abs(primary * w2[order[0], neuron]));
                signs.Add((order[0], primary > 0));
            }
            else
            {
                polysemantic++;
            }
            // Rescaled so that the largest input weight is one; a feature is read from the neuron where its output weight is positive and not small.
            var read = order
                .Where(i => Math.Abs(w1[neuron, i] / primary) > Secondary && w2[i, neuron] * Math.Abs(primary) > Secondary)
                .Take(2)
                .ToArray();
            if (read.Length == 2 && Math.Abs(w1[neuron, read[0]]) >= 2 * Math.Abs(w1[neuron, read[1]]))
                motifs++;
        }
        return new AbsoluteNeurons(
            monosemantic,
            polysemantic,
            ReadOut(parameters),
            motifs,
            signs.GroupBy(sign => sign.Feature).Count(group => group.Count() == 2),
            gains
        );
    }

    private static double Largest(Matrix w2, int neuron)
    {
        var largest = 0.0;
        for (var i = 0; i < w2.Rows; i++)
            largest = Math.Max(largest, Math.Abs(w2[i, neuron]));
        return largest;
    }

    private static int[] ReadOut(LayerNetParameters parameters)
    {
        var n = parameters.W1.Columns;
        var answered = new List<int>();
        for (var i = 0; i < n; i++)
        {
            var total = 0.0;
            foreach (var side in new[] { 1.0, -1.0 })
            {
                double with = parameters.B2[i];
                for (var neuron = 0; neuron < parameters.W1.Rows; neuron++)
                    with += parameters.W2[i, neuron] * Math.Max(side * parameters.W1[neuron, i], 0);
                total += Math.Max(with, 0) - Math.Max(parameters.B2[i], 0);
            }
            if (total / 2 > 0.25)
                answered.Add(i);
        }
        return [.. answered];
    }
}
