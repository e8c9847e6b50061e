using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using CsCheck;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Reports;
using Polyseme.Verdicts;

namespace Polyseme.Tests.Reports;

public sealed class HtmlReportTests
{
    private const string Hostile = "</script><script>alert(1)</script> & \"quoted\" 'single' <b>\u0007\u001b[31m\u202egnp\ud800";

    [Fact]
    public void The_page_is_the_approved_one() =>
        ApprovedFile.Matches("report.html", HtmlReport.Write([SampleEntries.Pentagon(), SampleEntries.Bare()], "Two networks"));

    [Fact]
    public void The_same_entries_give_the_same_bytes()
    {
        var first = HtmlReport.Write([SampleEntries.Pentagon(), SampleEntries.Bare()], "t");
        Assert.Equal(first, HtmlReport.Write([SampleEntries.Pentagon(), SampleEntries.Bare()], "t"));
        using var written = new StringWriter();
        HtmlReport.Write(written, [SampleEntries.Pentagon(), SampleEntries.Bare()], "t");
        Assert.Equal(first, written.ToString());
    }

    [Fact]
    public void Hostile_names_stay_text_everywhere()
    {
        var pentagon = SampleEntries.Pentagon(Hostile);
        var item = SampleEntries.Item(Hostile, 1, new NullSummary(Hostile, 0, 1, 3)) with
        {
            Unit = Hostile,
            Source = Hostile,
            Reason = Hostile,
        };
        var entry = pentagon with
        {
            TruthReason = Hostile,
            Geometry = pentagon.Geometry! with { Names = [Hostile, "b", "c", "d", "<e>"] },
            Neurons = [new NeuronDetail(0, [new TokenContext([Hostile, "\n", "x"], [3, 2, 1], 0)])],
            Result = pentagon.Result with
            {
                Evidence = [item, item with { Scope = "concept:" + Hostile }, item with { Value = null }],
                Concepts = [new ConceptVerdict(Hostile, Hostile, 1, 1, Hostile)],
                Neurons =
                [
                    pentagon.Result.Neurons[0] with
                    {
                        Verdict = Hostile,
                        Flags = [Hostile],
                        Concepts = [new NeuronConcept(Hostile, 0.9)],
                    },
                ],
                Layer = pentagon.Result.Layer with
                {
                    Subtype = Hostile,
                    Reason = Hostile,
                    Calibration = new CalibrationId(Hostile, Hostile),
                },
                Input = pentagon.Result.Input with { Path = Hostile, Groups = Hostile },
            },
        };
        var text = HtmlReport.Write([entry], Hostile, Hostile);
        var page = Parse(text);
        Assert.Single(page.Descendants("script"));
        Assert.DoesNotContain(
            page.Descendants("b"),
            element => element.Value.Contains("alert", StringComparison.Ordinal) && element.HasElements
        );
        Assert.DoesNotContain(text, c => char.IsControl(c) && c is not '\n');
        Assert.DoesNotContain('\u202e', text);
        Assert.Contains("\\u0007\\u001b[31m\\u202egnp\\ud800", page.Descendants("h1").Single().Value, StringComparison.Ordinal);
        Assert.Equal(Hostile.Replace('\ud800', '\ufffd'), Data(page).GetProperty("title").GetString());
    }

    [Fact]
    public void Any_text_survives_in_well_formed_markup() =>
        Gen.String.Sample(
            name =>
            {
                var page = Parse(HtmlReport.Write([SampleEntries.Bare(name)], name));
                Assert.Single(page.Descendants("h1"));
            },
            iter: 50
        );

    [Fact]
    public void The_page_loads_nothing_and_runs_nothing()
    {
        var text = HtmlReport.Write([SampleEntries.Pentagon(), SampleEntries.Bare()], "t");
        var page = Parse(text);
        Assert.DoesNotContain("://", text, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", text, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", text, StringComparison.Ordinal);
        Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName is "link" or "img" or "iframe" or "object");
        Assert.DoesNotContain(
            page.Descendants().Attributes(),
            attribute => attribute.Name.LocalName is "src" || attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal)
        );
        Assert.Equal("application/json", page.Descendants("script").Single().Attribute("type")!.Value);
    }

    [Fact]
    public void Every_link_and_label_points_at_something_and_no_id_repeats()
    {
        var page = Parse(HtmlReport.Write([SampleEntries.Pentagon(), SampleEntries.Bare()], "t"));
        var ids = page.Descendants().Attributes("id").Select(attribute => attribute.Value).ToArray();
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(page.Descendants("a").Attributes("href"), href => Assert.Contains(href.Value[1..], ids));
        Assert.All(
            page.Descendants().Attributes("aria-labelledby").SelectMany(attribute => attribute.Value.Split(' ')),
            id => Assert.Contains(id, ids)
        );
    }

    [Fact]
    public void Every_picture_reads_aloud_and_every_table_names_its_columns()
    {
        var page = Parse(HtmlReport.Write([SampleEntries.Pentagon(), SampleEntries.Bare()], "t"));
        Assert.NotEmpty(page.Descendants("svg"));
        Assert.All(
            page.Descendants("svg"),
            svg =>
            {
                Assert.Equal("img", svg.Attribute("role")!.Value);
                Assert.NotEmpty(svg.Element("title")!.Value);
                Assert.NotEmpty(svg.Element("desc")!.Value);
            }
        );
        Assert.All(
            page.Descendants("table"),
            table =>
            {
                Assert.NotEmpty(table.Element("caption")!.Value);
                Assert.All(table.Descendants("th"), head => Assert.NotNull(head.Attribute("scope")));
                var columns = table.Element("thead")!.Descendants("th").Count();
                Assert.All(table.Element("tbody")!.Elements("tr"), row => Assert.Equal(columns, row.Elements().Count()));
            }
        );
    }

    [Fact]
    public void Every_evidence_item_appears_with_its_source_and_undefined_ones_with_their_reason()
    {
        var entry = SampleEntries.Pentagon();
        var page = Parse(HtmlReport.Write([entry], "t")).Descendants("main").Single();
        Assert.All(
            entry.Result.Evidence,
            item => Assert.Contains(page.Descendants(), element => !element.HasElements && element.Value == item.Source)
        );
        Assert.Equal(3, page.Descendants("ul").Single(list => list.Attribute("class")?.Value == "evidence").Elements("li").Count());
        var undefined = page.Descendants("li").Single(item => item.Elements("p").Any(p => p.Value == "source of item_transfer"));
        Assert.Contains("undefined", undefined.Value, StringComparison.Ordinal);
        Assert.Contains("no item ids", undefined.Value, StringComparison.Ordinal);
        Assert.Empty(undefined.Descendants("svg"));
    }

    [Fact]
    public void A_null_without_draws_is_shown_as_a_reference_and_a_reason_as_a_sentence()
    {
        var entry = SampleEntries.Bare();
        entry = entry with
        {
            Result = entry.Result with
            {
                Evidence = [SampleEntries.Item("sparse_lines", 24, new NullSummary("dimensions", 200, 0, 0))],
                Layer = entry.Result.Layer with { Reason = "no direction comes back" },
            },
        };
        var page = Parse(HtmlReport.Write([entry], "t")).Root!.Value;
        Assert.Contains("reference dimensions: 200", page, StringComparison.Ordinal);
        Assert.DoesNotContain("0 draws", page, StringComparison.Ordinal);
        Assert.Contains("No direction comes back. (reason code: no_signal)", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_shown_as_undefined_and_written_as_null()
    {
        var entry = SampleEntries.Pentagon();
        entry = entry with
        {
            Result = entry.Result with
            {
                Evidence =
                [
                    SampleEntries.Item("broken", double.NaN, new NullSummary("elliptical", double.NaN, double.PositiveInfinity, 0)) with
                    {
                        PValue = double.NaN,
                    },
                ],
                Layer = entry.Result.Layer with { EffectiveDimension = double.NaN },
            },
            Geometry = new ReportGeometry { Directions = Matrix.FromRows([double.NaN, 1], [0, 1]) },
            Training = new ReportTraining { SeedLosses = [double.NaN], ReferenceLoss = double.PositiveInfinity },
        };
        var text = HtmlReport.Write([entry], "t");
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", text, StringComparison.Ordinal);
        Assert.DoesNotContain("∞", text, StringComparison.Ordinal);
        Assert.Contains("not finite", text, StringComparison.Ordinal);
        Assert.Equal(
            JsonValueKind.Null,
            Data(Parse(text))
                .GetProperty("entries")[0]
                .GetProperty("result")
                .GetProperty("layer")
                .GetProperty("effective_dimension")
                .ValueKind
        );
    }

    [Fact]
    public void The_data_block_holds_the_diagnosis_in_the_words_of_the_contract()
    {
        var data = Data(Parse(HtmlReport.Write([SampleEntries.Pentagon()], "t")));
        Assert.Equal("polyseme.report/1", data.GetProperty("schema").GetString());
        var entry = data.GetProperty("entries")[0];
        Assert.Equal("superposition", entry.GetProperty("true_cause").GetString());
        Assert.Equal(0.951057, entry.GetProperty("geometry").GetProperty("directions")[1][1].GetDouble());
        var result = entry.GetProperty("result");
        Assert.Equal("polyseme.diagnosis/1", result.GetProperty("schema").GetString());
        Assert.Equal(5, result.GetProperty("layer").GetProperty("n_line").GetInt32());
        Assert.Equal(0.0021, result.GetProperty("evidence")[0].GetProperty("null_mean").GetDouble());
        Assert.Equal(0.95, result.GetProperty("concepts")[0].GetProperty("r2_best").GetDouble());
    }

    [Fact]
    public void A_report_of_nothing_is_still_a_page()
    {
        var page = Parse(HtmlReport.Write([], "Nothing"));
        Assert.Contains("No network was diagnosed.", page.Root!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_of_one_diagnosis_is_titled_by_it_and_has_no_summary_table()
    {
        using var text = new StringWriter();
        HtmlReport.Write(text, SampleEntries.Bare("acts.npy"));
        var page = Parse(text.ToString());
        Assert.Equal("acts.npy", page.Descendants("h1").Single().Value);
        Assert.DoesNotContain(page.Descendants().Attributes("id"), id => id.Value == "summary");
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(60, 60)]
    [InlineData(61, 60)]
    [InlineData(500, 60)]
    public void At_most_sixty_neurons_get_a_bar_those_with_the_largest_score(int neurons, int bars)
    {
        var entry = SampleEntries.Bare() with
        {
            Result = SampleEntries.Bare().Result with { Neurons = SampleEntries.Result(neurons).Neurons },
        };
        var page = Parse(HtmlReport.Write([entry], "t"));
        var marks = page.Descendants("circle").Where(circle => circle.Attribute("class")!.Value is "poly" or "not-poly").ToArray();
        Assert.Equal(bars, marks.Length);
        Assert.Equal(neurons > 60, page.Descendants("title").Any(title => title.Value == "Mean budget"));
        if (neurons == 500)
            Assert.DoesNotContain(page.Descendants("text"), text => text.Value.StartsWith("no budget", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(80, false)]
    [InlineData(81, true)]
    [InlineData(400, true)]
    public void More_than_eighty_directions_are_subsampled_and_the_page_says_so(int features, bool says)
    {
        var directions = new RandomStream(1, "directions").NormalMatrix(features, 6);
        var entry = SampleEntries.Bare() with { Geometry = new ReportGeometry { Directions = directions } };
        var page = Parse(HtmlReport.Write([entry], "t"));
        Assert.Equal(says, page.Root!.Value.Contains($"80 of {features} directions are shown", StringComparison.Ordinal));
        Assert.Contains("projected (PCA about the origin)", page.Root!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_without_directions_shows_its_spectrum_and_scores()
    {
        var entry = SampleEntries.Bare() with
        {
            Geometry = new ReportGeometry { Spectrum = [4, 2, 1, 0] },
            Result = SampleEntries.Result(20),
        };
        var titles = Parse(HtmlReport.Write([entry], "t")).Descendants("title").Select(title => title.Value).ToArray();
        Assert.Contains("Spectrum of the activations' covariance", titles);
        Assert.Contains("Distribution of neuron scores", titles);
    }

    [Theory]
    [MemberData(nameof(OddDirections))]
    public void Directions_of_any_shape_can_be_drawn(double[][] rows)
    {
        var entry = SampleEntries.Bare() with { Geometry = new ReportGeometry { Directions = Matrix.FromRows(rows) } };
        var text = HtmlReport.Write([entry], "t");
        Parse(text);
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
    }

    public static TheoryData<double[][]> OddDirections { get; } =
        new([
            [],
            [
                [1],
                [-2],
            ],
            [
                [0, 0],
                [0, 0],
            ],
            [
                [0, 0, 0],
            ],
            [
                [1e-200, 1e200],
                [3, 4],
            ],
            [
                [1, 1, 1, 1, 1],
            ],
        ]);

    private static XDocument Parse(string text)
    {
        using var reader = XmlReader.Create(
            new StringReader(text),
            new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null }
        );
        return XDocument.Load(reader);
    }

    private static JsonElement Data(XDocument page) => JsonDocument.Parse(page.Descendants("script").Single().Value).RootElement;
}
