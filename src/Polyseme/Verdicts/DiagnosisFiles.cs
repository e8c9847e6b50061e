using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Verdicts;

/// <summary>The files that a diagnosis is asked of.</summary>
public sealed record DiagnosisFiles
{
    /// <summary>The activations: a file, or a directory of shards.</summary>
    public required string Activations { get; init; }

    /// <summary>Which tensor, where the file holds several 2-D ones.</summary>
    public string? Tensor { get; init; }

    /// <summary>Concepts, row for row with the file.</summary>
    public string? Concepts { get; init; }

    /// <summary>Token text, row for row with the file.</summary>
    public string? Tokens { get; init; }

    /// <summary>Drop rows that hold NaN or infinity; otherwise they are an error.</summary>
    public bool AllowNan { get; init; }

    /// <summary>The folder of a zoo run that the activations come from, with the <see cref="Hook"/>.</summary>
    public string? ModelRun { get; init; }

    /// <summary>The place in that network.</summary>
    public string? Hook { get; init; }

    /// <summary>What a run folder of these files is called: the name of the activations without its ending, in letters that every file system takes.</summary>
    public string RunName
    {
        get
        {
            var name = Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Activations)));
            var safe = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
            return safe.Length == 0 ? "diagnosis" : safe[..Math.Min(safe.Length, 60)];
        }
    }

    /// <summary>Opens, checks and scans the files.</summary>
    /// <param name="config">The seed draws the sample of a large file; the groups keep together what must not be split.</param>
    /// <param name="progress">Told how far the reading is.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InputException">A file cannot be read, or does not fit the others: what, where, found, expected, hint.</exception>
    public DiagnosisInput Read(DiagnosisConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var source = ActivationFile.Open(Activations, Tensor);
        // The small files first: what is wrong with them is said before a large one is read.
        var (concepts, beside) = Concepts is null ? (null, RowIdentities.None) : ConceptFile.Read(Concepts, source.NSamples);
        var tokens = Tokens is null ? null : TokenFile.Read(Tokens, source.NSamples);
        (Network, string)? network = ModelRun is null ? null : (ReadNetwork(source, progress, cancellation), Hook!);
        var scan = ActivationScan.Run(
            source,
            new ActivationScanConfig
            {
                Seed = config.Seed,
                AllowNan = AllowNan,
                Groups = config.Groups,
            },
            progress,
            cancellation,
            // Identities may lie beside the activations or beside the concepts; where both have one, the activations' counts.
            source.Rows.Or(beside)
        );
        return new DiagnosisInput
        {
            Activations = scan.Sample,
            Concepts = concepts?.Select(scan.SampleRows),
            Tokens = tokens is null ? null : [.. scan.SampleRows.Select(row => tokens[row])],
            Mean = scan.Mean,
            Covariance = scan.Covariance,
            Network = network,
            Path = Activations,
            Sha256 = scan.Sha256,
            TotalSamples = scan.NSamples,
            DroppedSamples = scan.NDropped,
        };
    }

    private Network ReadNetwork(ActivationSource source, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var network = ZooRunFiles.ReadNetwork(ModelRun!, Hook!, progress, cancellation);
        var width = network.Hooks.Single(hook => hook.Name == Hook).Width;
        return width == source.NNeurons
            ? network
            : throw new InputException(
                ModelRun!,
                $"is not where these activations come from: hook '{Hook}' has another width",
                $"{width} neurons",
                $"{source.NNeurons}, as in {source.Path}"
            );
    }

    /// <summary>Every file that was read, with its hash, for the manifest of a run.</summary>
    public IReadOnlyList<RunInput> Inputs(DiagnosisInput input)
    {
        var inputs = new List<RunInput> { new("activations", Activations, input.Sha256!) };
        foreach (var (role, path) in new[] { ("concepts", Concepts), ("tokens", Tokens) })
        {
            if (path is not null)
                inputs.Add(new RunInput(role, path, RunInput.HashOf(path)));
        }
        if (ModelRun is not null)
            inputs.Add(new RunInput("model", ModelRun, RunInput.HashOf(Path.Combine(ModelRun, ZooRunFiles.Weights))));
        return inputs;
    }
}
