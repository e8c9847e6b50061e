using System.Text.Json;
using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Numerics.Simd;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>
/// The populations of an unfinished run in one safetensors file: arrays for the numbers, a JSON record in the metadata for what they belong
/// to. The file is there in full or not at all, and is read back only by the run, the version and the registers that wrote it.
/// </summary>
public static class PopulationStateFile
{
    private const string Schema = "polyseme.checkpoint/1";
    private const string MetadataKey = "polyseme";
    private const string AnotherRun = "train again, or go on with the program, the machine and the run.json that wrote it";
    private const string Damaged = "the file was cut off or changed; train again";

    /// <summary>Writes the state of a run.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="run">The run that it belongs to.</param>
    /// <param name="populations">The populations that were begun.</param>
    /// <exception cref="IOException">It cannot be written; says where and why.</exception>
    public static void Write(string path, RunManifest run, IReadOnlyList<PopulationState> populations)
    {
        var numbers = new PopulationNumbers();
        foreach (var progress in populations.SelectMany(population => population.Models))
            numbers.Append(progress);
        var header = new Header(
            Schema,
            Registers,
            numbers.Hash(),
            [.. populations.Select(population => new HeaderPopulation(population.Fingerprint, population.Models.Count))],
            Json.ToObject(run)
        );
        SafetensorsFile.Write(
            path,
            numbers.ToTensors(),
            [KeyValuePair.Create(MetadataKey, JsonSerializer.Serialize(header, Json.Options))]
        );
    }

    /// <summary>Reads the state of a run back.</summary>
    /// <param name="path">The file.</param>
    /// <param name="run">The run that goes on.</param>
    /// <exception cref="InputException">It is not a checkpoint, is damaged, or is that of another run, version or instruction set; says what was found and expected.</exception>
    public static IReadOnlyList<PopulationState> Read(string path, RunManifest run)
    {
        var file = SafetensorsFile.Open(path);
        var header = ReadHeader(file);
        Expect(path, "is a checkpoint of another format", header.Schema, Schema);
        Expect(path, "is a checkpoint of other registers", header.Registers, Registers);
        CheckRun(path, header.Run, Json.ToObject(run));
        var numbers = new PopulationNumbers(file);
        Expect(path, "is damaged: its numbers are not those that were written", numbers.Hash(), header.Sha256, Damaged);
        if (header.Populations.Any(population => population.Models < 0))
            throw new InputException(path, "is not a checkpoint", "a negative number of models", Schema);
        PopulationState[] populations =
        [
            .. header.Populations.Select(population => new PopulationState(
                population.Fingerprint,
                [.. Enumerable.Range(0, population.Models).Select(_ => numbers.Take())]
            )),
        ];
        numbers.End();
        return populations;
    }

    /// <summary>Sums depend on the width of a register, so models that were trained with different ones would not be one population.</summary>
    private static string Registers => InstructionSets.Widest.ToString();

    private static Header ReadHeader(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(MetadataKey, out var text))
            throw new InputException(file.Path, "is not a checkpoint", "no record of a run", Schema);
        try
        {
            return Json.Read<Header>(text) is { Schema: not null, Registers: not null, Populations: not null, Run: not null } header
                ? header
                : throw new JsonException("a value is null or missing");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InputException(file.Path, "is not a checkpoint", e.Message.ReplaceLineEndings(" "), Schema, inner: e);
        }
    }

    private static void CheckRun(string path, JsonObject found, JsonObject expected)
    {
        // The version first: another one may have other settings.
        foreach (var (key, value) in expected.OrderBy(property => property.Key != "polyseme"))
        {
            if (value is JsonObject settings && found[key] is JsonObject foundSettings)
                CheckRun(path, foundSettings, settings);
            else if (!JsonNode.DeepEquals(found[key], value))
                Expect(path, "is the checkpoint of another run", $"{key} {Text(found[key])}", $"{key} {Text(value)}");
        }
        foreach (var (key, value) in found)
        {
            if (!expected.ContainsKey(key))
                Expect(path, "is the checkpoint of another run", $"{key} {Text(value)}", $"no {key}");
        }
    }

    private static string Text(JsonNode? node) => node?.ToJsonString(Json.Options) ?? "missing";

    private static void Expect(string path, string problem, string found, string expected, string hint = AnotherRun)
    {
        if (found != expected)
            throw new InputException(path, problem, found.ReplaceLineEndings(" "), expected.ReplaceLineEndings(" "), hint);
    }

    private sealed record Header(
        string Schema,
        string Registers,
        string Sha256,
        IReadOnlyList<HeaderPopulation> Populations,
        JsonObject Run
    );

    private sealed record HeaderPopulation(string Fingerprint, int Models);
}
