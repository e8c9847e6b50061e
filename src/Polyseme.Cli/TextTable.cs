using Spectre.Console;

namespace Polyseme.Cli;

/// <summary>A table for people on a terminal, and the same cells in aligned plain columns where a script may read them.</summary>
/// <param name="columns">The headings; one that begins with <c>&gt;</c> is aligned to the right.</param>
internal sealed class TextTable(params string[] columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row. The text is escaped here.</summary>
    public void Add(params string[] cells) =>
        _rows.Add([.. cells.Select(cell => string.Join('\n', cell.Split('\n').Select(Terminal.Escape)))]);

    /// <summary>Writes it to the results.</summary>
    public void Write(Terminal terminal)
    {
        if (terminal.OutIsTerminal)
            WriteDrawn(terminal);
        else
            WritePlain(terminal.Out);
    }

    private void WriteDrawn(Terminal terminal)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(terminal.Out) });
        var table = new Table
        {
            Border = TableBorder.Rounded,
            ShowRowSeparators = _rows.Exists(row => row.Any(cell => cell.Contains('\n'))),
        };
        foreach (var column in columns)
        {
            var right = column.StartsWith('>');
            table.AddColumn(new TableColumn(new Text(column.TrimStart('>'))) { Alignment = right ? Justify.Right : Justify.Left });
        }
        foreach (var row in _rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        console.Write(table);
    }

    private void WritePlain(TextWriter writer)
    {
        // One line a row, so that a script can read it; lines within a cell are joined.
        var lines = _rows.Select(row => row.Select(cell => cell.Replace("\n", "; ", StringComparison.Ordinal)).ToArray()).ToList();
        lines.Insert(0, [.. columns.Select(column => column.TrimStart('>'))]);
        var widths = Enumerable.Range(0, columns.Length).Select(c => lines.Max(line => line[c].Length)).ToArray();
        foreach (var line in lines)
        {
            var cells = line.Select((cell, c) => columns[c].StartsWith('>') ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c]));
            writer.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }
}
