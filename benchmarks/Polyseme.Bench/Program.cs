using System.Text.Json;
using Polyseme.Bench;

const string usage = "usage: bench [GROUP…] [--quick] [--json FILE]";
var names = new List<string>();
string? json = null;
var quick = false;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--quick":
            quick = true;
            break;
        case "--json" when i + 1 < args.Length:
            json = args[++i];
            break;
        case "--help" or "-h":
            Console.WriteLine(usage);
            foreach (var group in BenchGroup.All)
                Console.WriteLine($"  {group.Name, -10} {group.Summary}");
            return 0;
        case var unknown when unknown.StartsWith('-') || BenchGroup.All.All(group => group.Name != unknown):
            Console.Error.WriteLine(
                $"{unknown}: not a group or an option; groups: {string.Join(", ", BenchGroup.All.Select(group => group.Name))}. {usage}"
            );
            return 2;
        default:
            names.Add(args[i]);
            break;
    }
}

var measurements = new List<Measurement>();
foreach (var group in BenchGroup.All.Where(group => names.Count == 0 || names.Contains(group.Name)))
{
    foreach (var measurement in group.Run(new BenchOptions(quick)))
    {
        measurements.Add(measurement);
        Console.WriteLine(Line(measurement));
    }
}
if (json is not null)
    File.WriteAllText(json, JsonSerializer.Serialize(measurements, new JsonSerializerOptions { WriteIndented = true }) + "\n");
return 0;

static string Line(Measurement m)
{
    var line = $"{m.Name, -12} {Number(m.Ours)} {m.Unit}";
    if (m.Peer is { } peer)
        line += $"  peer {Number(peer)}";
    if (m.Ratio is { } ratio)
        line += $"  ratio {ratio:F1}";
    if (m.LimitFraction is { } limit)
        line += $"  limit {limit:P0}";
    if (m.Exponent is { } exponent)
        line += $"  exponent {exponent:F2}";
    if (m.PeakMb is { } peak)
        line += $"  peak {peak:F0} MB";
    line += $"  ({m.NRuns} runs; {m.Notes})";
    return string.Concat(
        line,
        m.Stages.Count == 0 ? "" : "\n  " + string.Join("  ", m.Stages.Select(stage => $"{stage.Key} {stage.Value:G4}"))
    );
}

static string Number(double value) => value < 100 ? $"{value:G4}" : $"{value:N0}";
