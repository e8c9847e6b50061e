using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>What the construction is not to be taken for: the same task trained, and compressed computation with and without its mixing matrix.</summary>
internal static class TrainedAndClaims
{
    /// <summary>The same task trained: how much of W₁ is in use, and whether weights are two-valued as the construction's are.</summary>
    public static IEnumerable<ClaimRow> Twin(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const int bits = 20,
            neurons = 100;
        const string source = "Newgas 2025, as cited by others";
        var built = Math.Sqrt(8.0 / neurons);
        var targets = LayerNetTargets.Products.AllPairs(bits);
        foreach (var steps in config.Choose<int[]>([3000], [10_000, 40_000], [20_000, 100_000]))
        {
            var trained = new LayerNetSetting
            {
                Training = new LayerNetTraining
                {
                    Shape = new LayerNetShape
                    {
                        Inputs = bits,
                        Hidden = neurons,
                        Outputs = targets.Pairs.Count,
                    },
                    Inputs = new LayerNetInputs.Bits(0.2),
                    Targets = targets,
                    Batch = 256,
                    Steps = steps,
                    LearningRate = 3e-3,
                },
                Seeds = 2,
            }.Train(config.Seed, progress, cancellation);
            var w1 = trained.Best.Parameters.W1;
            double used = 0,
                atEnds = 0;
            for (var neuron = 0; neuron < neurons; neuron++)
            {
                var weights = w1.Row(neuron).ToArray();
                var largest = weights.Max(Math.Abs);
                used += weights.Count(weight => Math.Abs(weight) > 0.1 * largest);
                atEnds += weights.Count(weight => Math.Abs(weight) <= 0.1 * largest || weight >= 0.9 * largest);
            }
            var total = (double)neurons * bits;
            var named = $"trained twin, {bits} bits, {targets.Pairs.Count} ANDs, {neurons} neurons, {steps:N0} steps";
            var note = $"loss over variance {trained.NormalisedLosses[trained.BestIndex]:F3}; the construction uses {built:F2}";
            yield return ClaimRow.Check(
                $"{named}: share of input weights in use (above a tenth of the neuron's largest), over the construction's",
                source,
                "dense",
                used / total / built,
                1.5,
                double.PositiveInfinity,
                note
            );
            yield return ClaimRow.Measure(
                $"{named}: share of input weights that are nearly zero or nearly the largest, all in the construction",
                source,
                "1 in the construction",
                atEnds / total
            );
        }
    }

    /// <summary>100 ReLU functions in 50 neurons: what is gained over fifty functions done alone, with labels ReLU(x) + M·x and without M.</summary>
    public static IEnumerable<ClaimRow> Compressed(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const int n = 100,
            neurons = 50;
        const double density = 0.01;
        const string source = "Braun et al. 2025; Bhagat et al. 2025 on its mixing matrix";
        foreach (var deviation in new[] { 0.03, 0.0 })
        {
            var mixing = new RandomStream(config.Seed, "universal-and/mixing").NormalMatrix(n, n);
            for (var i = 0; i < mixing.Data.Length; i++)
                mixing.Data[i] *= deviation;
            var gains = new List<double>();
            int[] lengths = config.Choose<int[]>([3000], [10_000, 30_000], [40_000, 200_000]);
            foreach (var steps in lengths)
            {
                var trained = new LayerNetSetting
                {
                    Training = new LayerNetTraining
                    {
                        Shape = new LayerNetShape
                        {
                            Inputs = n,
                            Hidden = neurons,
                            Outputs = n,
                            HiddenBias = false,
                            OutputBias = false,
                        },
                        Inputs = new LayerNetInputs.Reals(density, -1, 1),
                        Targets = new LayerNetTargets.ReluPlusLinear(deviation == 0 ? null : mixing),
                        Batch = 512,
                        Steps = steps,
                        LearningRate = 3e-3,
                    },
                    Seeds = 2,
                    Judged = 50_000,
                }.Train(config.Seed, progress, cancellation);
                gains.Add(1 - (trained.Loss / OneByOne(mixing, neurons, density)));
            }
            var claim = $"100 ReLU functions in 50 neurons, mixing of standard deviation {deviation}: gain over fifty functions done alone";
            var note =
                $"share of the loss; after {string.Join(" and ", lengths.Select(steps => $"{steps:N0}"))} steps: {string.Join(" and ", gains.Select(gain => gain.ToString("F3")))}";
            // Without mixing the gain vanishes: at most a fiftieth of the loss, what the choice of two seeds on 50,000 rows may show by chance.
            yield return deviation == 0
                ? ClaimRow.Check(claim, source, "none", gains[^1], double.NegativeInfinity, 0.02, note)
                : ClaimRow.Check(claim, source, "positive", gains[^1], 0.02, 1, note);
        }
    }

    /// <summary>The loss when each neuron does one feature: half of a feature's line costs |column of its target|²·p/6 unless a neuron does it.</summary>
    private static double OneByOne(Matrix mixing, int neurons, double density)
    {
        var negative = 0.0;
        var positive = new List<double>();
        for (var i = 0; i < mixing.Columns; i++)
        {
            double below = 0,
                above = 0;
            for (var j = 0; j < mixing.Rows; j++)
            {
                var slope = mixing[j, i] + (i == j ? 1 : 0);
                (below, above) = (below + (mixing[j, i] * mixing[j, i]), above + (slope * slope));
            }
            negative += below;
            positive.Add(above);
        }
        return density / 6 * (negative + positive.Order().Take(mixing.Columns - neurons).Sum());
    }
}
