using System.Text.Json;
using System.Text.Json.Nodes;
using NJsonSchema;
using Polyseme.Runs;

namespace Polyseme.Tests.Runs;

/// <summary>What every diagnosis that is written must satisfy: the shipped schema, and what a schema cannot say.</summary>
public static class DiagnosisContract
{
    private static readonly JsonSchema s_schema = JsonSchema.FromJsonAsync(DiagnosisSchema.Text).GetAwaiter().GetResult();

    /// <summary>Every way in which the text breaks the contract; empty when it keeps it.</summary>
    public static IReadOnlyList<string> Violations(string json)
    {
        // JSON has no NaN, so parsing refuses it.
        if (JsonNode.Parse(json) is not JsonObject root)
            return ["not an object"];
        var violations = s_schema.Validate(json).Select(error => error.ToString()).ToList();
        if (violations.Count > 0)
            return violations;

        Sums(root["layer"]!["posterior"]!, "layer.posterior");
        Verdict(root["layer"]!, "layer");
        foreach (var neuron in root["neurons"]!.AsArray())
        {
            var at = $"neuron {neuron!["index"]}";
            Sums(neuron["posterior"]!, $"{at} posterior");
            Verdict(neuron, at);
            if (neuron["budget"] is { } budget)
                Sums(budget, $"{at} budget");
            if (neuron["budget"] is null != neuron["score"] is null)
                violations.Add($"{at}: score and budget are null together or not at all");
            if (neuron["index"]!.GetValue<int>() >= root["input"]!["n_neurons"]!.GetValue<int>())
                violations.Add($"{at}: beyond the last neuron");
        }
        Counts(root["layer"]!);
        Names(root["concepts"]!, "name", "concepts");
        Names(root["neurons"]!, "index", "neurons");
        return violations;

        void Sums(JsonNode shares, string at)
        {
            var sum = shares.AsObject().Sum(share => share.Value!.GetValue<double>());
            if (Math.Abs(sum - 1) > 1e-6)
                violations.Add($"{at} sums to {sum}");
        }

        void Verdict(JsonNode node, string at)
        {
            var verdict = node["verdict"]!.GetValue<string>();
            if (verdict is "mixed" or "undetermined" && string.IsNullOrWhiteSpace(node["reason"]?.GetValue<string>()))
                violations.Add($"{at}: {verdict} without a reason");
        }

        void Counts(JsonNode layer)
        {
            var d = layer["d"]!.GetValue<int>();
            if (layer["r"]?.GetValue<int>() > d)
                violations.Add("r > d");
            if (
                layer["n_line"]?.GetValue<int>() is { } lines
                && layer["n_ray"]?.GetValue<int>() is { } rays
                && (rays < lines || rays > 2 * lines)
            )
                violations.Add($"n_line {lines}, n_ray {rays}");
            if (layer["verdict"]!.GetValue<string>() == "undetermined" && layer["reason_code"] is null)
                violations.Add("undetermined without a reason code");
            if (layer["verdict"]!.GetValue<string>() == "mixed" && layer["components"]!.AsArray().Count < 2)
                violations.Add("mixed with fewer than two components");
            if (d != root["input"]!["n_neurons"]!.GetValue<int>())
                violations.Add("layer.d is not input.n_neurons");
        }

        void Names(JsonNode array, string key, string at)
        {
            var names = array.AsArray().Select(node => node![key]!.ToJsonString()).ToList();
            if (names.Distinct(StringComparer.Ordinal).Count() != names.Count)
                violations.Add($"{at}: a {key} occurs twice");
        }
    }

    /// <summary>The text keeps the contract.</summary>
    public static JsonObject AssertKept(string json)
    {
        Assert.Empty(Violations(json));
        return JsonSerializer.Deserialize<JsonObject>(json)!;
    }
}
