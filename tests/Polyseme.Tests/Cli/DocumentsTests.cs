using System.Text.RegularExpressions;

namespace Polyseme.Tests.Cli;

public sealed partial class DocumentsTests
{
    private const string Sample = "samples/diagnose_from_numpy.py";

    [Fact]
    public void The_Python_sample_runs_and_prints_a_verdict()
    {
        using var folder = new TemporaryFolder();
        // Debian's python with its numpy, whichever python3 comes first on the PATH; ./test installs it.
        using var process = CommandLineRun.Start(folder.Path, "/usr/bin/python3", [Repository.File(Sample)]);
        var run = CommandLineRun.ToTheEnd(process);
        Assert.True(run.Code == 0, run.Error);
        Assert.Matches(@"^[a-z]+ \['[a-z', ]+'\] d 8, r \S+, n_line \S+, n_ray \S+\n$", run.Out);
    }

    [Fact]
    public void The_readme_shows_the_sample_as_it_is() =>
        Assert.Contains(
            $"```python\n{File.ReadAllText(Repository.File(Sample))}```",
            File.ReadAllText(Repository.File("README.md")),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/json.md")]
    [InlineData("docs/glossary.md")]
    public void Links_lead_to_files_that_exist(string document)
    {
        var path = Repository.File(document);
        foreach (Match link in Link().Matches(File.ReadAllText(path)))
        {
            var target = Path.Combine(Path.GetDirectoryName(path)!, link.Groups[1].Value);
            Assert.True(Path.Exists(target), $"{document} links to {link.Groups[1].Value}");
        }
    }

    [Fact]
    public void Every_field_of_the_schema_is_described()
    {
        var document = File.ReadAllText(Repository.File("docs/json.md"));
        var schema = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Repository.File("schemas/polyseme.diagnosis-1.json")))!;
        var fields = Fields(schema).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(fields.Count > 50, $"only {fields.Count} fields");
        Assert.All(fields, field => Assert.Matches($@"`[^`]*\b{Regex.Escape(field)}\b[^`]*`", document));
    }

    private static IEnumerable<string> Fields(System.Text.Json.Nodes.JsonNode? node) =>
        node switch
        {
            System.Text.Json.Nodes.JsonObject o => (
                o["properties"] is System.Text.Json.Nodes.JsonObject properties ? properties.Select(p => p.Key) : []
            ).Concat(o.Where(p => p.Key != "required").SelectMany(p => Fields(p.Value))),
            System.Text.Json.Nodes.JsonArray a => a.SelectMany(Fields),
            _ => [],
        };

    [GeneratedRegex(@"\]\(([^)#:]+)(#[^)]*)?\)")]
    private static partial Regex Link();
}
