using System.Text.Json;
using System.Text.Json.Nodes;
using Polyseme.Evidence;
using Polyseme.Runs;
using Polyseme.Verdicts;

namespace Polyseme.Tests.Runs;

public sealed class DiagnosisContractTests
{
    [Fact]
    public void A_full_result_keeps_the_contract() => DiagnosisContract.AssertKept(Json.Write(Result()));

    [Fact]
    public void Every_field_of_the_contract_is_there_under_its_name()
    {
        var root = JsonNode.Parse(Json.Write(Result()))!.AsObject();
        Assert.Equal<string>(
            ["schema", "polyseme", "input", "layer", "neurons", "concepts", "evidence", "config", "seed", "seconds"],
            root.Select(property => property.Key)
        );
        Assert.Equal<string>(
            ["path", "sha256", "n_samples", "n_dropped", "n_neurons", "access", "groups"],
            root["input"]!.AsObject().Select(property => property.Key)
        );
        string[] layer =
        [
            "verdict",
            "subtype",
            "reason_code",
            "d",
            "r",
            "n_line",
            "n_ray",
            "posterior",
            "set",
            "coverage",
            "components",
            "reason",
            "out_of_distribution",
            "estimated_features",
            "estimated_features_interval",
            "effective_dimension",
            "calibration",
        ];
        Assert.Equal<string>(layer, root["layer"]!.AsObject().Select(property => property.Key));
    }

    [Theory]
    [InlineData("$.layer.verdict", "\"polysemantic\"")]
    [InlineData("$.layer.set", "[]")]
    [InlineData("$.layer.posterior.rotated", "0.5")]
    [InlineData("$.layer.posterior.rotated", "null")]
    [InlineData("$.layer.r", "9")]
    [InlineData("$.layer.n_ray", "1")]
    [InlineData("$.layer.reason_code", "\"because\"")]
    [InlineData("$.layer.verdict", "\"undetermined\"")]
    [InlineData("$.layer.verdict", "\"mixed\"")]
    [InlineData("$.neurons[0].budget.aligned", "0.5")]
    [InlineData("$.neurons[0].budget", "null")]
    [InlineData("$.neurons[0].flags", "[\"odd\"]")]
    [InlineData("$.neurons[0].index", "4")]
    [InlineData("$.input.access", "[]")]
    [InlineData("$.evidence[0].p_value", "2")]
    [InlineData("$.seconds", "\"3\"")]
    [InlineData("$.surplus", "1")]
    public void What_breaks_it_is_found(string path, string value)
    {
        var root = JsonNode.Parse(Json.Write(Result()))!.AsObject();
        JsonNode at = root;
        var steps = path[2..].Replace("[0]", ".0", StringComparison.Ordinal).Split('.');
        foreach (var step in steps[..^1])
            at = at is JsonArray array ? array[int.Parse(step)]! : at[step]!;
        at[steps[^1]] = JsonNode.Parse(value);
        Assert.NotEmpty(DiagnosisContract.Violations(root.ToJsonString()));
    }

    [Fact]
    public void Not_a_number_is_no_JSON() => Assert.ThrowsAny<JsonException>(() => DiagnosisContract.Violations("""{"seconds": NaN}"""));

    private static DiagnosisResult Result()
    {
        var posterior = new Dictionary<string, double>
        {
            ["monosemantic"] = 0,
            ["rotated"] = 0.1,
            ["superposition"] = 0.9,
            ["nonlinear"] = 0,
            ["compositional"] = 0,
        };
        return new DiagnosisResult
        {
            Polyseme = CodeVersion.Full,
            Input = new DiagnosisSource("a.npy", new string('0', 64), 100, 0, 4, [AccessLevel.A, AccessLevel.C], "item"),
            Layer = new LayerVerdict
            {
                Verdict = "superposition",
                D = 4,
                R = 4,
                NLine = 12,
                NRay = 12,
                Posterior = posterior,
                Set = [Cause.Superposition, Cause.Rotated],
                Components = [new Component(Cause.Superposition, 1)],
                EstimatedFeaturesInterval = [10, 14],
                Calibration = new CalibrationId("1", new string('f', 64)),
            },
            Neurons =
            [
                new NeuronVerdict
                {
                    Index = 0,
                    Verdict = "superposition",
                    Posterior = posterior,
                    Set = [Cause.Superposition],
                    Polysemantic = true,
                    Score = 0.8,
                    Budget = new NeuronBudget(0.1, 0.1, 0.7, 0.05, 0.05),
                    Flags = ["unnamed_concept_candidate"],
                    Concepts = [new NeuronConcept("noun\u001b", 0.7)],
                },
                new NeuronVerdict
                {
                    Index = 3,
                    Verdict = "undetermined",
                    Posterior = posterior,
                    Set = Causes.All,
                    Reason = "dead",
                    Polysemantic = null,
                    Score = null,
                    Budget = null,
                    Flags = [],
                    Concepts = [],
                },
            ],
            Concepts = [new ConceptVerdict("noun\u001b", "linear", -0.5, 0.9)],
            Evidence =
            [
                new EvidenceItem
                {
                    Measure = "additivity",
                    Value = 0.3,
                    Nulls = [new NullSummary("elliptical", 0.1, 0.01, 20)],
                    PValue = 1.0 / 21,
                    Unit = "fraction",
                    Favours = Cause.Superposition,
                    Source = "somebody 2024",
                },
                new EvidenceItem
                {
                    Measure = "composition",
                    Scope = "concept:odd\nname",
                    Value = null,
                    Nulls = [],
                    Unit = "R²",
                    Source = "somebody 2024",
                    Reason = "no item ids",
                },
            ],
            Config = Json.ToObject(new DiagnosisConfig()),
            Seed = 0,
            Seconds = 1.5,
        };
    }
}
