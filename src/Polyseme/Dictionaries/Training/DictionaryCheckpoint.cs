using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Runs;
using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>
/// The state of dictionaries in training as one safetensors file: weights, Adam's moments, when each latent last fired, steps done, thresholds. The
/// steps say where the order of the rows and every random stream are. Written atomically; read back only for the same settings and the same rows.
/// </summary>
public static class DictionaryCheckpoint
{
    private const string Schema = "polyseme.dictionary-checkpoint/1";
    private const string MetadataKey = "polyseme";

    /// <summary>Writes it.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="trainings">The dictionaries.</param>
    /// <param name="rows">What they are trained on.</param>
    /// <exception cref="IOException">It cannot be written; the file that was there is untouched.</exception>
    public static void Write(string path, IReadOnlyList<DictionaryTraining> trainings, RowStream rows)
    {
        var tensors = new List<SafetensorsTensor>();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < trainings.Count; i++)
        {
            foreach (var (name, tensor) in trainings[i].Weights.Tensors)
            {
                var values = DictionaryWeights.Values(tensor);
                hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
                tensors.Add(SafetensorsTensor.Of($"{i}.{name}", values, tensor.shape));
            }
            var fired = trainings[i].State.LastFired;
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(fired));
            tensors.Add(SafetensorsTensor.Of($"{i}.last_fired", fired, fired.Length));
        }
        var header = new Header(
            Schema,
            CodeVersion.Full,
            rows.Identity,
            Convert.ToHexStringLower(hash.GetHashAndReset()),
            [
                .. trainings.Select(training => new HeaderTraining(
                    training.Kind.Name,
                    Settings(training),
                    training.StepsDone,
                    training.State.Threshold?.ToString("R", CultureInfo.InvariantCulture)
                )),
            ]
        );
        SafetensorsFile.Write(path, tensors, [KeyValuePair.Create(MetadataKey, JsonSerializer.Serialize(header, Json.Options))]);
    }

    /// <summary>Puts trainings that were just started where the checkpoint is.</summary>
    /// <exception cref="InputException">It is damaged, or that of other settings, of another version or of other rows.</exception>
    public static void Restore(string path, IReadOnlyList<DictionaryTraining> trainings, RowStream rows)
    {
        var file = SafetensorsFile.Open(path);
        var header = ReadHeader(file);
        Expect(path, "is a checkpoint of another format", header.Schema, Schema);
        Expect(path, "is a checkpoint of another version", header.Polyseme, CodeVersion.Full);
        Expect(
            path,
            "is a checkpoint of other activations: they changed since it was written",
            $"sha256 {header.Rows}",
            $"sha256 {rows.Identity}"
        );
        Expect(path, "is a checkpoint of other dictionaries", $"{header.Trainings.Count} of them", $"{trainings.Count} of them");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var read = new List<(torch.Tensor To, float[] Values)>();
        var fired = new List<long[]>();
        for (var i = 0; i < trainings.Count; i++)
        {
            var found = header.Trainings[i];
            Expect(path, "is a checkpoint of another kind", found.Kind, trainings[i].Kind.Name);
            Expect(path, "is a checkpoint of other settings", found.Settings, Settings(trainings[i]));
            foreach (var (name, tensor) in trainings[i].Weights.Tensors)
            {
                var values = file.ReadSingles(Find(file, $"{i}.{name}", tensor.shape));
                hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
                read.Add((tensor, values));
            }
            fired.Add(file.ReadIntegers(Find(file, $"{i}.last_fired", [trainings[i].Config.Latents])));
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(fired[i]));
        }
        Expect(
            path,
            "is damaged: its numbers are not those that were written",
            Convert.ToHexStringLower(hash.GetHashAndReset()),
            header.Sha256
        );
        using (torch.no_grad())
        {
            using var scope = torch.NewDisposeScope();
            foreach (var (to, values) in read)
                to.copy_(torch.tensor(values, to.shape));
        }
        for (var i = 0; i < trainings.Count; i++)
        {
            double? threshold = header.Trainings[i].Threshold is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;
            trainings[i].Restore(header.Trainings[i].StepsDone, threshold, fired[i]);
        }
    }

    private static JsonObject SettingsOf(object record) => Json.ToObject(record);

    private static string Settings(DictionaryTraining training) =>
        $"{SettingsOf(training.Kind).ToJsonString()} {SettingsOf(training.Config).ToJsonString()}";

    private static ArrayInfo Find(SafetensorsFile file, string name, long[] shape) =>
        file.Find(name) is { } array && array.Shape.SequenceEqual(shape)
            ? array
            : throw new InputException(file.Path, "is damaged", $"no {name} of the right shape", $"[{string.Join(", ", shape)}]");

    private static Header ReadHeader(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(MetadataKey, out var text))
            throw new InputException(file.Path, "is not a checkpoint", "no record of a training", Schema);
        try
        {
            return
                Json.Read<Header>(text)
                    is { Schema: not null, Polyseme: not null, Rows: not null, Sha256: not null, Trainings: not null } header
                ? header
                : throw new JsonException("a value is null or missing");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InputException(file.Path, "is not a checkpoint", e.Message.ReplaceLineEndings(" "), Schema, inner: e);
        }
    }

    private static void Expect(string path, string problem, string found, string expected)
    {
        if (found != expected)
            throw new InputException(path, problem, found, expected, "train again, or go on with what wrote it");
    }

    private sealed record Header(string Schema, string Polyseme, string Rows, string Sha256, IReadOnlyList<HeaderTraining> Trainings);

    private sealed record HeaderTraining(string Kind, string Settings, long StepsDone, string? Threshold);
}
