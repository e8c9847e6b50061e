using System.CommandLine;
using Polyseme.PolyBench;
using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary><c>polyseme benchmark</c>: the judge on layers whose cause is known.</summary>
internal static class BenchmarkCommand
{
    private const string Summary = "summary.json";

    public static Command Create(CommandContext context)
    {
        var families = new Option<string[]>("--families")
        {
            HelpName = "NAME",
            Description = "Families to run, or beginnings of their names with *; may be given several times (default: all).",
            DefaultValueFactory = _ => [],
            AllowMultipleArgumentsPerToken = true,
        };
        families.CompletionSources.Add([.. BenchmarkCatalogue.Families.Select(family => family.Name)]);
        var cases = new Option<int>("--cases")
        {
            HelpName = "N",
            Description = "Cases of each family.",
            DefaultValueFactory = _ => new BenchmarkConfig().Cases,
        };
        CommonOptions.Require(cases, text => int.TryParse(text, out var n) && n is >= 1 and <= 100_000, "from 1 to 100000");
        var list = new Option<bool>("--list") { Description = "List the families and do nothing." };
        var common = new CommonOptions();
        var command = new DocumentedCommand(
            "benchmark",
            "PolyBench: judges layers of known cause, family by family, and says how often the judge is right, abstains, and covers the truth. Interrupted, it goes on when it is run again.",
            "polyseme benchmark --list",
            "polyseme benchmark --families 'rotated-*' --cases 5",
            "polyseme benchmark --out runs/polybench"
        )
        {
            families,
            cases,
            list,
        };
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(list))
            {
                List(context.Terminal);
                return ExitCode.Done;
            }
            var config = new BenchmarkConfig
            {
                Seed = parsed.GetValue(common.Seed) ?? 0,
                Families = parsed.GetValue(families)!,
                Cases = parsed.GetValue(cases),
            };
            try
            {
                _ = BenchmarkCatalogue.Find(config.Families);
            }
            catch (ArgumentException e)
            {
                throw new UsageException(e.Message);
            }
            return Run(
                context,
                config,
                parsed.GetValue(common.Out) ?? Path.Combine("runs", "polybench"),
                common.ThreadsOf(parsed),
                parsed.GetValue(common.Quiet)
            );
        });
        return command;
    }

    private static int Run(CommandContext context, BenchmarkConfig config, string path, int threads, bool quiet)
    {
        var (terminal, cancellation) = context;
        var folder = RunFolder.Open(path);
        folder.WriteManifest(
            new RunManifest
            {
                Command = "benchmark",
                Name = "polybench",
                Seed = config.Seed,
                Threads = threads,
                Config = Json.ToObject(config),
            }
        );
        var results = ProgressDisplay.Run(terminal, quiet, progress => BenchmarkRunner.Run(config, folder, progress, cancellation));
        var summary = BenchmarkSummary.Of(results);
        folder.WriteJson(Summary, summary);
        ByFamily(terminal, results);
        terminal.Out.WriteLine();
        Whole(terminal, summary);
        terminal.Out.WriteLine(Terminal.Escape($"wrote {folder.Path}"));
        return ExitCode.Done;
    }

    private static void List(Terminal terminal)
    {
        var table = new TextTable("family", "cause", "mechanism", "what it is");
        foreach (var family in BenchmarkCatalogue.Families)
            table.Add(family.Name, family.Cause is { } cause ? Causes.Id(cause) : "noise", family.Mechanism, family.Description);
        table.Write(terminal);
    }

    private static void ByFamily(Terminal terminal, IReadOnlyList<CaseResult> results)
    {
        var table = new TextTable("family", ">cases", ">enough", ">right", ">wrong", ">abstained", ">covered", ">set", ">s", "verdicts");
        foreach (var family in results.GroupBy(result => result.Family))
        {
            table.Add(
                family.Key,
                $"{family.Count()}",
                $"{family.Count(result => result.Sufficient)}",
                $"{family.Count(result => result is { Decided: true, Right: true })}",
                $"{family.Count(result => result is { Decided: true, Right: false })}",
                $"{family.Count(result => !result.Decided)}",
                $"{family.Count(result => result.Covered)}",
                family.Average(result => result.Set.Count).ToString("0.0"),
                family.Average(result => result.Seconds).ToString("0.0"),
                string.Join(
                    ' ',
                    family
                        .CountBy(result => result.Verdict)
                        .OrderByDescending(pair => pair.Value)
                        .Select(pair => $"{pair.Key} {pair.Value}")
                )
            );
        }
        table.Write(terminal);
    }

    private static void Whole(Terminal terminal, BenchmarkSummary summary)
    {
        var table = new TextTable("over all", ">value");
        void Add(string name, double? value, string format = "0.000")
        {
            if (value is { } number)
                table.Add(name, number.ToString(format));
        }
        Add("cases", summary.Cases, "0");
        Add("families", summary.Families, "0");
        Add("decided", summary.Decided);
        Add("right of decided", summary.RightOfDecided);
        Add("abstained where there is enough", summary.AbstainedOfSufficient);
        Add("coverage of the set", summary.Coverage);
        Add("coverage in the worst tenth of families", summary.CoverageOfWorstTenth);
        Add("mean set size", summary.MeanSetSize);
        Add("noise called a cause", summary.NullsCalledACause);
        Add("log score (nats; 1.609 knows nothing)", summary.LogScore);
        Add("Brier score", summary.Brier);
        Add("budget error", summary.BudgetError);
        Add("median error of the number of lines", summary.LineError);
        Add("median seconds a case", summary.MedianSeconds, "0.0");
        table.Write(terminal);
        terminal.Out.WriteLine();
        var verdicts = summary.Confusion.Values.SelectMany(row => row.Keys).Distinct().Order(StringComparer.Ordinal).ToArray();
        var confusion = new TextTable(["truth", .. verdicts.Select(verdict => $">{verdict}")]);
        foreach (var (truth, row) in summary.Confusion)
            confusion.Add([truth, .. verdicts.Select(verdict => $"{row.GetValueOrDefault(verdict)}")]);
        confusion.Write(terminal);
    }
}
