using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Verdicts;

namespace Polyseme.Tests.Verdicts;

public sealed class DiagnosisTests
{
    private const int Rows = 200;

    public static TheoryData<string> Edges { get; } =
    [
        "eight rows",
        "one row",
        "one neuron",
        "all rows zero",
        "a constant neuron",
        "duplicated neurons",
        "an offset of a million",
        "one huge row",
        "half the rows zero",
        "a constant concept",
        "fewer rows than neurons",
    ];

    [Theory]
    [MemberData(nameof(Edges))]
    public void Odd_layers_get_an_answer_with_a_reason(string edge)
    {
        // The JSON writer throws on NaN and infinity, so writing the result is the check that there are none.
        var result = Diagnosis.Run(Edge(edge), new DiagnosisConfig(), null, TestContext.Current.CancellationToken);
        Assert.DoesNotContain("NaN", Json.Write(result), StringComparison.Ordinal);
        Assert.Equal(1, result.Layer.Posterior.Values.Sum(), 1e-12);
        Assert.NotEmpty(result.Layer.Set);
        if (result.Layer.Verdict == "undetermined")
        {
            Assert.NotNull(result.Layer.ReasonCode);
            Assert.False(string.IsNullOrWhiteSpace(result.Layer.Reason));
        }
        Assert.All(
            result.Neurons,
            neuron => Assert.True(neuron.Verdict != "undetermined" || !string.IsNullOrWhiteSpace(neuron.Reason), $"{neuron.Index}")
        );
        Assert.All(result.Evidence, item => Assert.True(item.Value is not null || item.Reason is not null, item.Measure));
    }

    [Theory]
    [InlineData("eight rows", "too_few_samples")]
    [InlineData("all rows zero", "no_signal")]
    [InlineData("one row", "no_signal")]
    public void What_cannot_be_measured_is_said_to_be_so(string edge, string reason)
    {
        var result = Diagnosis.Run(Edge(edge), new DiagnosisConfig(), null, TestContext.Current.CancellationToken);
        Assert.Equal(("undetermined", reason), (result.Layer.Verdict, result.Layer.ReasonCode));
        Assert.Equal(Causes.All, result.Layer.Set);
    }

    [Fact]
    public void A_constant_neuron_is_dead_and_a_constant_concept_undetermined()
    {
        var dead = Diagnosis.Run(Edge("a constant neuron"), new DiagnosisConfig(), null, TestContext.Current.CancellationToken);
        Assert.Contains("dead", dead.Neurons[1].Reason, StringComparison.Ordinal);
        var constant = Diagnosis.Run(Edge("a constant concept"), new DiagnosisConfig(), null, TestContext.Current.CancellationToken);
        Assert.Equal("undetermined", constant.Concepts[0].Verdict);
        Assert.NotNull(constant.Concepts[0].Reason);
    }

    [Fact]
    public void The_same_input_and_seed_give_the_same_bytes_apart_from_the_seconds()
    {
        var concepts = PlantedLayers.CoinFlips(400, 2);
        string Once() =>
            Json.Write(
                Diagnosis.Run(
                    PlantedLayers.Given(PlantedLayers.Rotated(400, 4), concepts),
                    new DiagnosisConfig { Seed = 11 },
                    null,
                    TestContext.Current.CancellationToken
                ) with
                {
                    Seconds = 0,
                }
            );
        Assert.Equal(Once(), Once());
    }

    [Fact]
    public void Concepts_and_neurons_that_do_not_fit_are_refused()
    {
        var input = PlantedLayers.Given(PlantedLayers.Gaussian(20, 3));
        var token = TestContext.Current.CancellationToken;
        var tooLong = input with { Concepts = new ConceptTable(21, PlantedLayers.CoinFlips(21, 1)) };
        Assert.Contains(
            "21",
            Assert.Throws<ArgumentException>(() => Diagnosis.Run(tooLong, new DiagnosisConfig(), null, token)).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentException>(() => Diagnosis.Run(input, new DiagnosisConfig { Neurons = (1, 3) }, null, token));
    }

    private static DiagnosisInput Edge(string edge)
    {
        var rows = PlantedLayers.Monosemantic(Rows, 3);
        switch (edge)
        {
            case "eight rows":
                return PlantedLayers.Given(PlantedLayers.Gaussian(8, 3));
            case "one row":
                return PlantedLayers.Given(PlantedLayers.Gaussian(1, 3));
            case "one neuron":
                return PlantedLayers.Given(PlantedLayers.Monosemantic(Rows, 1));
            case "all rows zero":
                return PlantedLayers.Given(new Matrix(Rows, 3));
            case "fewer rows than neurons":
                return PlantedLayers.Given(PlantedLayers.Gaussian(120, 130));
            case "duplicated neurons":
                return PlantedLayers.Given(rows.SelectColumns([0, 1, 2, 0, 1]));
            case "a constant neuron":
                for (var i = 0; i < Rows; i++)
                    rows[i, 1] = 0.7;
                return PlantedLayers.Given(rows);
            case "an offset of a million":
                for (var i = 0; i < rows.Data.Length; i++)
                    rows.Data[i] += 1e6;
                return PlantedLayers.Given(rows);
            case "one huge row":
                for (var j = 0; j < 3; j++)
                    rows[5, j] = 1e9 * (j + 1);
                return PlantedLayers.Given(rows);
            case "half the rows zero":
                for (var i = 0; i < Rows / 2; i++)
                    rows.Row(i).Clear();
                return PlantedLayers.Given(rows);
            case "a constant concept":
                return PlantedLayers.Given(
                    rows,
                    [PlantedLayers.Binary("always", Rows, _ => true), PlantedLayers.Binary("on", Rows, i => rows[i, 0] > 0)]
                );
            default:
                throw new ArgumentException($"no layer is called '{edge}'", nameof(edge));
        }
    }
}
