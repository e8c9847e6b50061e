using System.Text.Json;
using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Verdicts;
using Polyseme.Zoo;

namespace Polyseme.Tests.Runs;

public sealed class JsonTests
{
    private sealed record Sample(
        double R2Linear,
        int NLine,
        double? NullSd,
        double? PValue,
        int EstimatedFeatures,
        Cause Cause,
        AccessLevel Level,
        ConceptKind Kind
    );

    [Fact]
    public void Names_are_those_of_the_contract() =>
        Assert.Equal(
            """
            {
              "r2_linear": 0.5,
              "n_line": 3,
              "null_sd": null,
              "p_value": 0.1,
              "estimated_features": 7,
              "cause": "superposition",
              "level": "A",
              "kind": "categorical"
            }

            """.ReplaceLineEndings("\n"),
            Json.Write(new Sample(0.5, 3, null, 0.1, 7, Cause.Superposition, AccessLevel.A, ConceptKind.Categorical))
        );

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_number_that_is_none_is_refused(double value)
    {
        Assert.Throws<ArgumentException>(() => Json.Write(new Component(Cause.Rotated, value)));
        Assert.Throws<ArgumentException>(() => Json.ToObject(new Component(Cause.Rotated, value)));
        Assert.Throws<ArgumentException>(() => Json.Write(new { Matrix = Matrix.FromRows([value]) }));
    }

    [Fact]
    public void Truth_comes_back_as_it_was_written()
    {
        var truth = new GroundTruth
        {
            Cause = Cause.Superposition,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>> { [AccessLevel.A] = ["superposition", "undetermined"] },
            Reason = "n_line > r, and features add",
            Directions = Matrix.FromRows([1, 0.25], [-0.5, 1e-3]),
            NLine = 2,
            NRay = 2,
        };
        var text = Json.Write(truth);
        Assert.Equal(text, Json.Write(Json.Read<GroundTruth>(text)));
        Assert.Equal(truth.Directions.Data, Json.Read<GroundTruth>(text).Directions!.Data);
    }

    [Fact]
    public void A_range_of_neurons_is_a_pair()
    {
        var config = new DiagnosisConfig { Neurons = (0, 511), Seed = ulong.MaxValue };
        Assert.Contains("\"neurons\": [0, 511]", Json.Write(config), StringComparison.Ordinal);
        Assert.Equal(config, Json.Read<DiagnosisConfig>(Json.Write(config)));
    }

    [Fact]
    public void Unknown_keys_are_errors() =>
        Assert.Contains(
            "sede",
            Assert.Throws<JsonException>(() => Json.Read<DiagnosisConfig>("""{"sede": 3}""")).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Equal_records_have_equal_hashes_and_different_ones_do_not()
    {
        var config = new DiagnosisConfig { Seed = 4 };
        Assert.Equal(Json.Hash(config), Json.Hash(config with { }));
        Assert.NotEqual(Json.Hash(config), Json.Hash(config with { Seed = 5 }));
        Assert.Matches("^[0-9a-f]{64}$", Json.Hash(config));
    }
}
