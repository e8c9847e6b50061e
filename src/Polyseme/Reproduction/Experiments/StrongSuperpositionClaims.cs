using System.Globalization;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>
/// How the loss falls with the width where every feature is kept in superposition, and where only as many as there are dimensions: a decay of the weights by
/// rows makes the one or the other.
/// </summary>
/// <remarks>
/// Liu, Liu and Gore 2025, "Superposition yields robust neural scaling". Overlaps of many directions in m dimensions have mean square 1/m, so the loss of
/// strong superposition falls as 1/m whatever the frequencies; that of weak superposition is what the features left out would have added.
/// </remarks>
internal sealed class StrongSuperpositionClaims
{
    private const string Paper = "Liu, Liu and Gore 2025";

    /// <summary>γ of strong and of weak superposition, the ends of the range that the paper sweeps.</summary>
    private const double Strong = -1,
        Weak = 1;

    /// <summary>How far a slope may be from the one expected: what is expected is a limit, and the models are small.</summary>
    private const double SlopeTolerance = 0.25;
    private const int JudgedRows = 100_000;

    private readonly int _features,
        _steps,
        _batch;
    private readonly int[] _widths;
    private readonly List<Model> _models = [];

    private StrongSuperpositionClaims(ReproductionConfig config)
    {
        (_features, _steps, _batch) = (config.Choose(64, 256, 1000), config.Choose(500, 3_000, 20_000), config.Choose(256, 512, 2048));
        _widths = config.Choose<int[]>([4, 8], [4, 8, 16], [10, 15, 25, 39, 63, 100]);
    }

    /// <summary>What ran, in words.</summary>
    public string Ran =>
        $"strong and weak superposition: n = {_features}, m = {string.Join(", ", _widths)}, one active feature on average, values in [0, 2), {_steps:N0} steps of {_batch} rows, Adam 1e-2 to zero after a tenth of warm-up, rows of norm about 1 at the start, decay by rows γ = {Strong} and {Weak}, one start each, judged on {JudgedRows:N0} fresh rows";

    /// <summary>Its claims.</summary>
    public List<ClaimRow> Rows { get; } = [];

    /// <summary>Trains and measures.</summary>
    public static StrongSuperpositionClaims Of(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var claims = new StrongSuperpositionClaims(config);
        claims.Train(config.Seed, progress, cancellation);
        foreach (var of in claims._models.GroupBy(model => (model.Law, model.Decay)))
            claims.Rows.AddRange(of.Key.Decay < 0 ? claims.StrongRows([.. of]) : claims.WeakRows([.. of]));
        if (config.Size == ReproductionSize.Quick)
        {
            for (var i = 0; i < claims.Rows.Count; i++)
                claims.Rows[i] = ClaimRow.Measure(
                    claims.Rows[i].Claim,
                    claims.Rows[i].Source,
                    claims.Rows[i].Reference,
                    claims.Rows[i].Ours,
                    claims.Rows[i].Note
                );
        }
        return claims;
    }

    /// <summary>Loss over width, both axes logarithmic.</summary>
    public Figure Draw()
    {
        var figure = new Figure(
            "scaling",
            "Loss over width, in strong and in weak superposition",
            "Loss on fresh rows over the number of dimensions m, for several laws of feature frequencies. Left: every feature kept, γ = −1; the thin line falls as 1/m. Right: γ = 1; thin, what the features that are not represented would add.",
            columns: 2
        );
        foreach (var decay in new[] { Strong, Weak })
        {
            var panel = figure.Panel(decay < 0 ? "strong superposition" : "weak superposition", "m", "loss");
            var laws = _models.Where(model => model.Decay == decay).GroupBy(model => model.Law).ToList();
            double[] x = [.. _widths.Select(width => Math.Log10(width))];
            foreach (var law in laws)
            {
                var colour = FigurePalette.Category((int)law.Key);
                var line = panel.Add.Scatter(x, law.Select(model => Math.Log10(model.Loss)).ToArray());
                (line.LegendText, line.Color, line.LineWidth) = (Words(law.Key), colour, 2);
                var expected = panel.Add.ScatterLine(
                    x,
                    decay < 0
                        ? [.. _widths.Select(width => Math.Log10(law.First().Loss * _widths[0] / width))]
                        : law.Select(model => Math.Log10(model.Ignored)).ToArray()
                );
                (expected.Color, expected.LineWidth) = (colour, 1);
            }
            panel.Axes.Bottom.SetTicks(x, [.. _widths.Select(width => $"{width}")]);
            panel.LogTicksY([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]);
            panel.ShowLegend(ScottPlot.Alignment.LowerLeft);
        }
        return figure;
    }

    private void Train(ulong seed, IProgress<Step>? progress, CancellationToken cancellation)
    {
        List<(FrequencyLaw Law, double Decay, int Width)> asked =
        [
            .. from law in new[] { FrequencyLaw.Uniform, FrequencyLaw.Power, FrequencyLaw.Exponential }
            from decay in new[] { Strong, Weak }
            // With equal frequencies no feature is the one to leave out.
            where decay < 0 || law != FrequencyLaw.Uniform
            from width in _widths
            select (law, decay, width),
        ];
        var jobs = asked.Select(one => Job(one.Law, one.Decay, one.Width, seed)).ToArray();
        var trained = PopulationTrainer.Train(jobs, Environment.ProcessorCount, progress, cancellation);
        foreach (var ((law, decay, width), (job, model)) in asked.Zip(jobs.Zip(trained)))
        {
            var judged = ZooSample.Inputs(job.Training.Inputs, _features, JudgedRows, seed, "toy/judge");
            var represented = FeatureGeometry.Represented(model.Parameters.W);
            var densities = FrequencyLaws.Densities(law, _features, 1);
            var ignored = Enumerable.Range(0, _features).Except(represented).Sum(i => Ignoring(densities[i]));
            var loss = ToyReference.Loss(job.Training.Shape, model.Parameters, judged);
            _models.Add(new Model(law, decay, width, loss, represented.Length, ignored));
        }
    }

    private ToyJob Job(FrequencyLaw law, double decay, int width, ulong seed)
    {
        var training = new ToyTraining
        {
            Shape = ToySetting.Uniform(_features, width),
            Inputs = new ToyInputs.Fresh(FrequencyLaws.Densities(law, _features, 1)) { High = 2 },
            Batch = _batch,
            Steps = _steps,
            LearningRate = 1e-2,
            Warmup = 0.1,
            RowDecay = decay,
        };
        // As the paper starts them: rows of norm about 1, so that what is to be kept is there.
        var start = new RandomStream(seed, $"strong-superposition/{width}").NormalMatrix(_features, width);
        for (var i = 0; i < start.Data.Length; i++)
            start.Data[i] /= Math.Sqrt(width);
        return new ToyJob(training, seed, 0, new ToyParameters(start, new double[_features]));
    }

    /// <summary>The loss of a feature that is left out, its output being its mean: E[x²] − E[x]² for x uniform in [0, 2) with probability p.</summary>
    private static double Ignoring(double p) => (4 * p / 3) - (p * p);

    private IEnumerable<ClaimRow> StrongRows(Model[] models)
    {
        yield return ClaimRow.Check(
            $"{Words(models[0].Law)}, γ = {Strong}: fewest represented features, of {_features}",
            Paper,
            "nearly all: strong superposition",
            models.Min(model => model.Represented),
            0.9 * _features,
            _features
        );
        yield return ClaimRow.Check(
            $"{Words(models[0].Law)}, strong superposition: slope of log loss over log m",
            Paper,
            "−1 for any law",
            Slope([.. models.Select(model => Math.Log(model.Width))], [.. models.Select(model => Math.Log(model.Loss))]),
            -1 - SlopeTolerance,
            -1 + SlopeTolerance,
            Losses(models)
        );
    }

    private IEnumerable<ClaimRow> WeakRows(Model[] models)
    {
        yield return ClaimRow.Measure(
            $"{Words(models[0].Law)}, γ = {Weak}: most represented features, over m",
            Paper,
            "about 1: weak superposition",
            models.Max(model => (double)model.Represented / model.Width),
            string.Join(", ", models.Select(model => $"m = {model.Width}: {model.Represented}"))
        );
        yield return ClaimRow.Check(
            $"{Words(models[0].Law)}, weak superposition: slope of log loss over the log of what the features left out would add",
            Paper,
            "1",
            Slope([.. models.Select(model => Math.Log(model.Ignored))], [.. models.Select(model => Math.Log(model.Loss))]),
            1 - SlopeTolerance,
            1 + SlopeTolerance,
            Losses(models)
        );
    }

    private static string Losses(Model[] models) =>
        string.Join(
            "; ",
            models.Select(model =>
                string.Create(CultureInfo.InvariantCulture, $"m = {model.Width}: loss {model.Loss:0.000}, left out {model.Ignored:0.000}")
            )
        );

    private static double Slope(double[] x, double[] y)
    {
        double meanX = x.Average(),
            meanY = y.Average();
        return x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum() / x.Sum(a => (a - meanX) * (a - meanX));
    }

    private static string Words(FrequencyLaw law) =>
        law switch
        {
            FrequencyLaw.Uniform => "uniform",
            FrequencyLaw.Power => "power law i^−1.2",
            FrequencyLaw.Exponential => "exponential, τ = n/6",
            _ => throw new ArgumentOutOfRangeException(nameof(law), law, "not used here"),
        };

    /// <summary>A trained model.</summary>
    /// <param name="Law">Frequencies.</param>
    /// <param name="Decay">γ.</param>
    /// <param name="Width">m.</param>
    /// <param name="Loss">On fresh rows, summed over features.</param>
    /// <param name="Represented">Features of ‖W_i‖² above .5.</param>
    /// <param name="Ignored">The loss that the other features add when their output is their mean.</param>
    private sealed record Model(FrequencyLaw Law, double Decay, int Width, double Loss, int Represented, double Ignored);
}
