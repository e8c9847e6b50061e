using System.Text;
using Polyseme.Reports.Markup;

namespace Polyseme.Reproduction;

/// <summary>The table of claims, as Markdown.</summary>
public static class ReproductionTable
{
    /// <summary>The document: counts, then per experiment its claims and figures.</summary>
    /// <param name="records">The experiments, in order.</param>
    /// <param name="figureFolder">Where the figures lie, relative to the document.</param>
    public static string Markdown(IReadOnlyList<ReproductionRecord> records, string figureFolder)
    {
        var text = new StringBuilder();
        text.Append("# Reproduction\n\n");
        text.Append(
            "Written by `polyseme zoo reproduce`; do not edit. Every claim: what was published, derived or measured by a reference program, and what came out here.\n\n"
        );
        text.Append($"{Summary(records)}.\n\n");
        text.Append(
            "| experiment | size | passed | failed | measured | pending | seconds |\n| --- | --- | --: | --: | --: | --: | --: |\n"
        );
        foreach (var record in records)
        {
            text.Append($"| [{record.Name}](#{record.Name}) | {SizeName(record.Size)}");
            foreach (var status in Enum.GetValues<ClaimStatus>())
                text.Append($" | {record.Count(status)}");
            text.Append($" | {NumberText.Of(record.Seconds)} |\n");
        }
        foreach (var record in records)
            Write(text, record, figureFolder);
        return text.ToString();
    }

    /// <summary>Counts over all experiments, in a sentence without its full stop.</summary>
    public static string Summary(IReadOnlyList<ReproductionRecord> records)
    {
        int Of(ClaimStatus status) => records.Sum(record => record.Count(status));
        return $"{NumberText.Count(records.Count, "experiment")}, {NumberText.Count(records.Sum(record => record.Rows.Count), "claim")}: "
            + $"{Of(ClaimStatus.Passed)} passed, {Of(ClaimStatus.Failed)} failed, {Of(ClaimStatus.Measured)} measured without an assertion, {Of(ClaimStatus.Pending)} pending; "
            + $"{NumberText.Of(records.Sum(record => record.Seconds))} seconds";
    }

    /// <summary>The accepted range of a claim: <c>0.39 … 0.41</c>, <c>≤ 2</c>, <c>≥ 5</c>, <c>= 5</c>; empty when nothing is asserted.</summary>
    public static string Tolerance(ClaimRow row) =>
        (row.Low, row.High) switch
        {
            ({ } low, { } high) when low == high => $"= {NumberText.Of(low)}",
            ({ } low, { } high) => $"{NumberText.Of(low)} … {NumberText.Of(high)}",
            ({ } low, null) => $"≥ {NumberText.Of(low)}",
            (null, { } high) => $"≤ {NumberText.Of(high)}",
            _ => "",
        };

    /// <summary>A status in a word with its symbol.</summary>
    public static string Status(ClaimStatus status) =>
        status switch
        {
            ClaimStatus.Passed => "✓ passed",
            ClaimStatus.Failed => "✗ failed",
            ClaimStatus.Measured => "measured",
            ClaimStatus.Pending => "… pending",
            _ => throw new ArgumentOutOfRangeException(nameof(status), status, "no such status"),
        };

    /// <summary>Our number as text.</summary>
    public static string Ours(ClaimRow row) => row.Status == ClaimStatus.Pending ? "" : NumberText.Of(row.Ours);

    /// <summary>The name of a size on the command line.</summary>
    public static string SizeName(ReproductionSize size) =>
        size switch
        {
            ReproductionSize.Quick => "quick",
            ReproductionSize.Default => "default",
            ReproductionSize.Full => "full",
            _ => throw new ArgumentOutOfRangeException(nameof(size), size, "no such size"),
        };

    private static void Write(StringBuilder text, ReproductionRecord record, string figureFolder)
    {
        text.Append($"\n## {record.Name}\n\n");
        text.Append($"{Capital(record.Title)}. {record.Source}.\n\n");
        text.Append(
            $"Ran: {record.Ran} (size {SizeName(record.Size)}, seed {record.Seed}, {NumberText.Count(record.Threads, "thread")}, {NumberText.Of(record.Seconds)} s).\n\n"
        );
        text.Append("| claim | source | reference | ours | accepted | | note |\n| --- | --- | --- | --: | --- | --- | --- |\n");
        foreach (var row in record.Rows)
        {
            text.Append(
                $"| {Cell(row.Claim)} | {Cell(row.Source)} | {Cell(row.Reference)} | {Ours(row)} | {Tolerance(row)} | {Status(row.Status)} | {Cell(row.Note)} |\n"
            );
        }
        foreach (var figure in record.Figures)
        {
            text.Append($"\n![{Cell(figure.Title)}]({figureFolder}/{figure.File}.svg)\n\n");
            text.Append($"*{figure.Title}.* {figure.Caption}\n");
        }
    }

    private static string Cell(string? text) => (text ?? "").Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");

    private static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}
