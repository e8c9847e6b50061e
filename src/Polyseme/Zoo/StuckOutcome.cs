using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>What a population of two-layer networks came to, seed by seed.</summary>
/// <param name="Population">The models and their losses.</param>
/// <param name="Monosemantic">Share of the live neurons whose second largest input weight is at most a tenth of the largest. Shape: <c>[n_models]</c>.</param>
/// <param name="PureAnds">Share of the live neurons that are one AND: two inputs are read (the second above half of the first, the third below .3 of it) and one output is written (the second below .3 of the first). Shape: <c>[n_models]</c>.</param>
/// <param name="EffectiveOutputs">Outputs that a live neuron writes, (Σw²)²/Σw⁴, averaged over neurons. Shape: <c>[n_models]</c>.</param>
/// <param name="DeadOutputs">Outputs that are zero on every fresh row in which their own feature is active. Shape: <c>[n_models]</c>.</param>
internal sealed record StuckOutcome(
    LayerNetPopulation Population,
    IReadOnlyList<double> Monosemantic,
    IReadOnlyList<double> PureAnds,
    IReadOnlyList<double> EffectiveOutputs,
    IReadOnlyList<int> DeadOutputs
)
{
    /// <summary>A neuron is alive when its largest activation times its largest output weight exceeds this.</summary>
    private const double Alive = 1e-2;

    /// <summary>Loss over the targets' variance, averaged over models.</summary>
    public double MeanLoss => Population.NormalisedLosses.Average();

    /// <summary>Measures every model on the same fresh rows.</summary>
    public static StuckOutcome Of(LayerNetPopulation population, LayerNetSetting setting, ulong seed)
    {
        var bits = setting.Training.Inputs is LayerNetInputs.Bits;
        var inputs = bits ? AllPatterns(population.Shape.Inputs) : setting.Fresh(5000, seed, "layer-net/measure").Inputs;
        var mono = new List<double>();
        var pure = new List<double>();
        var effective = new List<double>();
        var dead = new List<int>();
        foreach (var model in population.Models)
        {
            var (hidden, output) = LayerNetReference.Run(population.Shape, model.Parameters, inputs);
            var live = Enumerable.Range(0, hidden.Columns).Where(neuron => IsAlive(model.Parameters, hidden, neuron)).ToArray();
            var count = Math.Max(1, live.Length);
            mono.Add((double)live.Count(neuron => ReadsOne(model.Parameters.W1.Row(neuron))) / count);
            pure.Add(bits ? (double)live.Count(neuron => IsOneAnd(model.Parameters, neuron)) / count : 0);
            effective.Add(live.Select(neuron => Effective(model.Parameters.W2.Column(neuron))).DefaultIfEmpty(0).Average());
            dead.Add(bits ? 0 : Enumerable.Range(0, output.Columns).Count(i => IsDead(inputs, output, i)));
        }
        return new StuckOutcome(population, mono, pure, effective, dead);
    }

    /// <summary>Every pattern of bits once. Shape: <c>[2^bits, bits]</c>.</summary>
    internal static Matrix AllPatterns(int bits)
    {
        var patterns = new Matrix(1 << bits, bits);
        for (var row = 0; row < patterns.Rows; row++)
        {
            for (var i = 0; i < bits; i++)
                patterns[row, i] = (row >> i) & 1;
        }
        return patterns;
    }

    private static bool IsAlive(LayerNetParameters parameters, Matrix hidden, int neuron) =>
        hidden.Column(neuron).Max() * parameters.W2.Column(neuron).Max(Math.Abs) > Alive;

    private static bool ReadsOne(ReadOnlySpan<double> weights)
    {
        double first = 0,
            second = 0;
        foreach (var weight in weights)
        {
            if (Math.Abs(weight) > first)
                (first, second) = (Math.Abs(weight), first);
            else
                second = Math.Max(second, Math.Abs(weight));
        }
        return second <= 0.1 * first;
    }

    private static bool IsOneAnd(LayerNetParameters parameters, int neuron)
    {
        var read = parameters.W1.Row(neuron).ToArray().Select(Math.Abs).OrderDescending().ToArray();
        var written = parameters.W2.Column(neuron).Select(Math.Abs).OrderDescending().ToArray();
        static double Share(double[] sizes, int rank) => rank < sizes.Length ? sizes[rank] / sizes[0] : 0;
        return Share(read, 1) > 0.5 && Share(read, 2) < 0.3 && Share(written, 1) < 0.3;
    }

    private static bool IsDead(Matrix inputs, Matrix output, int i)
    {
        for (var row = 0; row < inputs.Rows; row++)
        {
            if (inputs[row, i] != 0 && output[row, i] != 0)
                return false;
        }
        return true;
    }

    private static double Effective(double[] weights)
    {
        var squares = weights.Sum(weight => weight * weight);
        return squares * squares / weights.Sum(weight => weight * weight * weight * weight);
    }
}
