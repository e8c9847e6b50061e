using Polyseme.Verdicts;

namespace Polyseme.Tests.Verdicts;

/// <summary>Planted layers, measured once for all tests that look at them.</summary>
internal sealed class MeasuredLayer
{
    private readonly Lazy<LayerMeasures> _measures;

    private MeasuredLayer(Func<DiagnosisInput> input)
    {
        _measures = new(() => LayerMeasures.Take(input(), new DiagnosisConfig(), null, CancellationToken.None));
    }

    public static MeasuredLayer Monosemantic { get; } = new(() => PlantedLayers.Given(PlantedLayers.Monosemantic(3_000, 8)));

    public static MeasuredLayer Rotated { get; } = new(() => PlantedLayers.Given(PlantedLayers.Rotated(3_000, 8)));

    public static MeasuredLayer Superposed { get; } = new(() => PlantedLayers.Given(PlantedLayers.Superposed(5_000)));

    public static MeasuredLayer Xor { get; } = new(() => PlantedLayers.Xor(4_000));

    public static MeasuredLayer Items { get; } = new(() => PlantedLayers.Items(256, 10, 6));

    public static MeasuredLayer Gaussian { get; } =
        new(() => PlantedLayers.Given(PlantedLayers.Gaussian(3_000, 6), PlantedLayers.CoinFlips(3_000, 3)));

    /// <summary>Gaussian with most of its variance in two dimensions, where any dictionary is near any other.</summary>
    public static MeasuredLayer FlatGaussian { get; } = new(() => PlantedLayers.Given(PlantedLayers.Gaussian(3_000, 6, 6)));

    public static MeasuredLayer Student { get; } = new(() => PlantedLayers.Given(PlantedLayers.Student(3_000, 6)));

    public LayerMeasures Measures => _measures.Value;

    public LayerVerdict Verdict => LayerJudge.Decide(Measures);

    public IReadOnlyList<NeuronVerdict> Neurons =>
        NeuronJudge.Decide(Measures, Verdict, [.. Enumerable.Range(0, Measures.Input.Activations.NNeurons)]);
}
