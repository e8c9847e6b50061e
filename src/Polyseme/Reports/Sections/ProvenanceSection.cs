using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Sections;

/// <summary>What was read, with which program, seed, calibration and configuration.</summary>
internal static class ProvenanceSection
{
    public static void Write(HtmlWriter html, ReportEntry entry)
    {
        var result = entry.Result;
        using (html.Open("details"))
        {
            html.Leaf("summary", "Where these numbers come from");
            using (html.Open("dl", ("class", "provenance")))
            {
                Line(html, "input", result.Input.Path ?? "made in memory");
                if (result.Input.Sha256 is { } hash)
                    Line(html, "sha256", hash);
                Line(html, "rows", $"{NumberText.Count(result.Input.NSamples)} used, {NumberText.Count(result.Input.NDropped)} dropped");
                Line(html, "program", $"polyseme {result.Polyseme}, seed {result.Seed}");
                Line(html, "calibration", $"{result.Layer.Calibration.Version} {result.Layer.Calibration.Sha256}");
                Line(html, "time", $"{NumberText.Of(result.Seconds)} seconds");
                Line(html, "configuration", result.Config.ToJsonString());
            }
        }
    }

    private static void Line(HtmlWriter html, string name, string value)
    {
        html.Leaf("dt", name);
        html.Leaf("dd", value);
    }
}
