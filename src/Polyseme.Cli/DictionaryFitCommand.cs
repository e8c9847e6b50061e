using System.CommandLine;
using System.Diagnostics;
using Polyseme.Activations;
using Polyseme.Dictionaries.Classical;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Cli;

/// <summary><c>polyseme dictionary fit</c>: a dictionary by a classical method.</summary>
internal static class DictionaryFitCommand
{
    // Rows are held in memory, in double precision by some methods.
    private const int DefaultRows = 100_000;

    /// <summary>What <c>fit.json</c> of the run folder holds.</summary>
    /// <param name="Method">The method's name.</param>
    /// <param name="Config">Its configuration.</param>
    /// <param name="NRows">Rows that it learned from.</param>
    /// <param name="NLatents">Latents of the dictionary.</param>
    /// <param name="Iterations">Iterations done.</param>
    /// <param name="Converged">Whether it reached its tolerance, if it has one.</param>
    /// <param name="Curve">What it lowers, once an iteration.</param>
    private sealed record FitRecord(
        string Method,
        object Config,
        int NRows,
        int NLatents,
        int Iterations,
        bool? Converged,
        IReadOnlyList<double> Curve
    );

    public static Command Create(CommandContext context)
    {
        var activations = new Argument<string>("acts")
        {
            HelpName = "ACTS",
            Description = "Activations [n_samples, n_neurons]: .safetensors, .npy, .npz, or a directory of shards.",
        };
        var names = ClassicalMethod.All.Select(method => method.Name).ToArray();
        var method = new Option<string>("--method")
        {
            HelpName = "METHOD",
            Required = true,
            Description = "One of: " + string.Join("; ", ClassicalMethod.All.Select(one => $"{one.Name} ({one.Summary})")) + ".",
        };
        CommonOptions.Require(method, text => names.Contains(text, StringComparer.Ordinal), $"one of {string.Join(", ", names)}");
        method.CompletionSources.Add(names);
        var set = new Option<string[]>("--set")
        {
            HelpName = "KEY=VALUE",
            Description =
                "Change a setting; may be given many times. "
                + string.Join("; ", ClassicalMethod.All.Select(one => $"{one.Name}: {string.Join(", ", ZooConfigs.Keys(one))}"))
                + ".",
            DefaultValueFactory = _ => [],
        };
        CommonOptions.Require(set, text => text.IndexOf('=', StringComparison.Ordinal) > 0, "KEY=VALUE");
        var rows = new Option<int>("--rows")
        {
            HelpName = "N",
            Description = $"Most rows to learn from; a random sample where there are more (default: {DefaultRows}).",
            DefaultValueFactory = _ => DefaultRows,
        };
        CommonOptions.Require(rows, text => int.TryParse(text, out var count) && count >= 2, "a number from 2 on");
        var tensor = new Option<string?>("--tensor")
        {
            HelpName = "NAME",
            Description = "Which tensor of the file, where it holds several 2-D ones.",
        };
        var common = new CommonOptions();
        var command = new DocumentedCommand(
            "fit",
            "Learns a dictionary by a classical method and writes it to a folder that 'polyseme dictionary eval' reads.",
            "polyseme dictionary fit acts.npy --method fastica --out runs/ica",
            "polyseme dictionary fit acts.safetensors --method ksvd --set latents=512 --set k=8"
        )
        {
            activations,
            method,
            set,
            rows,
            tensor,
        };
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var settings = parsed
                .GetValue(set)!
                .Select(text => text.Split('=', 2))
                .Select(pair => KeyValuePair.Create(pair[0], pair[1]))
                .ToList();
            if (parsed.GetValue(common.Seed) is { } seed)
                settings.Add(KeyValuePair.Create("seed", $"{seed}"));
            var configured = Configured(ClassicalMethod.All.First(one => one.Name == parsed.GetRequiredValue(method)), settings);
            return Run(
                context,
                parsed.GetRequiredValue(activations),
                parsed.GetValue(tensor),
                configured,
                parsed.GetValue(rows),
                parsed.GetValue(common.Out),
                common.ThreadsOf(parsed),
                parsed.GetValue(common.Quiet)
            );
        });
        return command;
    }

    private static ClassicalMethod Configured(ClassicalMethod method, IEnumerable<KeyValuePair<string, string>> settings)
    {
        try
        {
            return ZooConfigs.With(method, settings);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"{FirstLine(e)}; see 'polyseme dictionary fit --help'.");
        }
    }

    private static int Run(
        CommandContext context,
        string path,
        string? tensor,
        ClassicalMethod method,
        int most,
        string? folderPath,
        int threads,
        bool quiet
    )
    {
        var (terminal, cancellation) = context;
        if (folderPath is not null)
            RunFolder.Open(folderPath).RemoveIfEmpty();
        else
            RunFolder.EnsureDefaultWritable();
        var clock = Stopwatch.StartNew();
        var (manifest, rows, fit) = ProgressDisplay.Run(
            terminal,
            quiet,
            progress =>
            {
                progress.Report(new Step("reading activations", 0, 0));
                var source = ActivationFile.Open(path, tensor);
                var read = Sample(source, most, method.Seed, cancellation);
                progress.Report(new Step($"fitting {method.Name}", 0, 1000));
                var share = new Share(progress, method.Name);
                try
                {
                    return (Manifest(path, source, method, most, threads, cancellation), read, method.Fit(read, share, cancellation));
                }
                catch (ArgumentException e)
                {
                    throw new InputException(path, $"does not suit {method.Name}", FirstLine(e));
                }
            }
        );
        cancellation.ThrowIfCancellationRequested();
        var folder = RunFolder.Open(folderPath ?? RunFolder.DefaultPath(manifest));
        ClassicalDictionaryFile.Write(fit.Dictionary, folder.Path);
        folder.WriteJson(
            "fit.json",
            new FitRecord(method.Name, Json.ToObject(method), rows.Rows, fit.Dictionary.NLatents, fit.Iterations, fit.Converged, fit.Curve)
        );
        folder.WriteManifest(manifest);

        var table = new TextTable("what", ">value");
        table.Add("method", $"{method.Name} ({method.Source})");
        table.Add("rows", $"{rows.Rows}");
        table.Add("latents", $"{fit.Dictionary.NLatents}");
        table.Add("iterations", $"{fit.Iterations}");
        if (fit.Converged is { } converged)
            table.Add("converged", converged ? "yes" : "no");
        if (fit.Curve.Count > 0)
            table.Add("objective, first and last", $"{fit.Curve[0]:G4} {fit.Curve[^1]:G4}");
        table.Add("seconds", $"{clock.Elapsed.TotalSeconds:F1}");
        table.Write(terminal);
        terminal.Out.WriteLine(Terminal.Escape($"wrote {folder.Path}"));
        return ExitCode.Done;
    }

    private static FloatMatrix Sample(ActivationSource source, int most, ulong seed, CancellationToken cancellation)
    {
        if (source.NSamples > int.MaxValue)
            throw new InputException(source.Path, "has more rows than can be drawn from", $"{source.NSamples}", $"at most {int.MaxValue}");
        var all = (int)source.NSamples;
        int[] rows =
            all <= most
                ? [.. Enumerable.Range(0, all)]
                : [.. new RandomStream(seed, "dictionary/rows").Permutation(all).Take(most).Order()];
        return new FloatMatrix(rows.Length, source.NNeurons, source.ReadRows(rows, cancellation));
    }

    private static RunManifest Manifest(
        string path,
        ActivationSource source,
        ClassicalMethod method,
        int most,
        int threads,
        CancellationToken cancellation
    )
    {
        var config = Json.ToObject(method);
        config["rows"] = most;
        return new RunManifest
        {
            Command = "dictionary fit",
            Name = method.Name,
            Seed = method.Seed,
            Threads = threads,
            Config = config,
            Inputs = [new RunInput("activations", path, source.ComputeSha256(cancellation))],
        };
    }

    private static string FirstLine(ArgumentException e)
    {
        var message = e.Message.ReplaceLineEndings(" ");
        var parameter = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return parameter < 0 ? message : message[..parameter];
    }

    private sealed class Share(IProgress<Step> progress, string method) : IProgress<double>
    {
        public void Report(double value) => progress.Report(new Step($"fitting {method}", (long)(1000 * value), 1000));
    }
}
