using System.Text.Json;
using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>What <c>result.json</c> of a zoo run holds: the numbers that the network must reproduce, and how its training went.</summary>
/// <param name="Member">The member's name.</param>
/// <param name="Hook">The hook whose activations are in <c>activations.safetensors</c>.</param>
/// <param name="Hooks">Every hook of the network.</param>
/// <param name="Acceptances">The numbers it must reproduce, checked.</param>
/// <param name="Curve">The training curve of the best seed; empty for a constructed network.</param>
/// <param name="SeedLosses">Final loss of every seed that did not diverge; empty for a constructed network.</param>
/// <param name="Diverged">The seeds that did, with the step.</param>
public sealed record ZooRunResult(
    string Member,
    string Hook,
    IReadOnlyList<Hook> Hooks,
    IReadOnlyList<Acceptance> Acceptances,
    IReadOnlyList<CurvePoint> Curve,
    IReadOnlyList<double> SeedLosses,
    IReadOnlyList<Divergence> Diverged
);

/// <summary>A zoo network in a run folder: written by <c>zoo train</c>, read by <c>diagnose --model</c>.</summary>
public static class ZooRunFiles
{
    /// <summary>Activations at the hook, with the row identities.</summary>
    public const string Activations = "activations.safetensors";

    /// <summary>The true features, as concepts of these activations.</summary>
    public const string Concepts = "concepts.safetensors";

    /// <summary>Of a language model, the texts that the activations come from.</summary>
    public const string Texts = "texts.safetensors";

    /// <summary>Every weight, in double precision.</summary>
    public const string Weights = "weights.safetensors";

    /// <summary>The full configuration.</summary>
    public const string Config = "config.json";

    /// <summary>The ground truth.</summary>
    public const string Truth = "truth.json";

    /// <summary>A <see cref="ZooRunResult"/>. Written last: a folder that has it and no <see cref="Checkpoint"/> is finished.</summary>
    public const string Result = "result.json";

    /// <summary>What an unfinished run has trained, see <see cref="PopulationStateFile"/>. Gone when the run is finished.</summary>
    public const string Checkpoint = "checkpoint.safetensors";

    /// <summary>Writes the run. Equal runs give equal files.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(RunFolder folder, ZooRun run)
    {
        var (set, rows) = (run.Activations, run.Activations.Rows);
        var activations = new List<SafetensorsTensor> { SafetensorsTensor.Of("activations", set.Values, set.NSamples, set.NNeurons) };
        foreach (
            var (name, values) in new[]
            {
                ("item", rows.Item),
                ("document", rows.Document),
                ("position", rows.Position),
                ("token_id", rows.TokenId),
            }
        )
        {
            if (values is not null)
                activations.Add(SafetensorsTensor.Of(name, values));
        }
        SafetensorsFile.Write(folder.File(Activations), activations);
        SafetensorsFile.Write(folder.File(Concepts), [.. run.Features.Concepts.Select(ToTensor)]);
        SafetensorsFile.Write(
            folder.File(Weights),
            [
                .. run
                    .Network.Weights.OrderBy(weight => weight.Key, StringComparer.Ordinal)
                    .Select(weight => SafetensorsTensor.Of(weight.Key, weight.Value.Data, weight.Value.Rows, weight.Value.Columns)),
            ]
        );
        if (run.Texts is { } texts)
            SafetensorsFile.Write(
                folder.File(Texts),
                [SafetensorsTensor.Of(TextFile.TensorName, Array.ConvertAll(texts.Data, token => (long)token), texts.Rows, texts.Columns)]
            );
        folder.WriteJson(Config, run.Config);
        folder.WriteJson(Truth, run.Truth);
        folder.WriteJson(
            Result,
            new ZooRunResult(run.Member, run.Hook, run.Network.Hooks, run.Acceptances, run.Curve, run.SeedLosses, run.Diverged)
        );
    }

    /// <summary>The network of a run folder, built again from its configuration and weights.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="hook">A hook that it must have.</param>
    /// <param name="progress">Told about training, where a member has to train again.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InputException">The folder holds no zoo run, or the network has no such hook.</exception>
    public static Network ReadNetwork(string path, string hook, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var manifest = Parse(Path.Combine(path, RunFolder.ManifestName), text => Json.Read<RunManifest>(text));
        var member =
            ZooCatalogue.Members.FirstOrDefault(member => member.Name == manifest.Name)
            ?? throw new InputException(
                path,
                "is not a run of the zoo",
                $"a run of {manifest.Name}",
                hint: "use a folder that 'polyseme zoo train' wrote"
            );
        var config = Parse(Path.Combine(path, Config), text => ReadConfig(member, text));
        var weights = ReadWeights(Path.Combine(path, Weights));
        Network network;
        try
        {
            network = member.Restore(config, weights, progress, cancellation);
        }
        catch (ArgumentException e)
        {
            throw new InputException(path, "cannot be made into a network", e.Message.ReplaceLineEndings(" "), inner: e);
        }
        if (!network.Hooks.Any(known => known.Name == hook))
            throw new InputException(path, $"has no hook '{hook}'", string.Join(", ", network.Hooks.Select(known => known.Name)));
        return network;
    }

    /// <summary>A member's configuration from its JSON.</summary>
    /// <exception cref="JsonException">It is not one.</exception>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public static ZooConfig ReadConfig(ZooMember member, string text) =>
        JsonSerializer.Deserialize(text, member.DefaultConfig.GetType(), Json.Options) as ZooConfig
        ?? throw new JsonException($"expected a configuration of {member.Name}, found null");

    private static Dictionary<string, Matrix> ReadWeights(string path)
    {
        var file = SafetensorsFile.Open(path);
        var weights = new Dictionary<string, Matrix>(StringComparer.Ordinal);
        foreach (var array in file.Arrays)
        {
            if (array.Shape is not [var rows, var columns] || array.Type != DType.F64)
                throw new InputException(path, $"holds a weight '{array.Name}' that is none", expected: "F64 [rows, columns]");
            weights[array.Name] = new Matrix((int)rows, (int)columns, file.ReadDoubles(array));
        }
        return weights;
    }

    private static T Parse<T>(string path, Func<string, T> parse)
    {
        try
        {
            return parse(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or ArgumentException)
        {
            throw new InputException(
                path,
                "is not part of a run",
                e.Message.ReplaceLineEndings(" "),
                hint: "use a folder that 'polyseme zoo train' wrote",
                inner: e
            );
        }
    }

    // Written in the type that makes the reader see the same kind of concept again.
    private static SafetensorsTensor ToTensor(Concept concept) =>
        concept.Kind switch
        {
            ConceptKind.Binary => SafetensorsTensor.Of(concept.Name, Array.ConvertAll(concept.Values, value => checked((byte)value))),
            ConceptKind.Categorical => SafetensorsTensor.Of(concept.Name, Array.ConvertAll(concept.Values, value => checked((long)value))),
            ConceptKind.Numeric => SafetensorsTensor.Of(concept.Name, concept.Values),
            _ => throw new ArgumentOutOfRangeException(nameof(concept), concept.Kind, "not a kind of concept"),
        };
}
