using System.Text.RegularExpressions;
using ScottPlot;
using SkiaSharp;

namespace Polyseme.Reports.Figures;

/// <summary>A static figure of one or more panels, written as SVG and PNG.</summary>
/// <remarks>
/// Panels are ScottPlot plots, filled by whoever makes the figure; they stand in a grid, row by row. The same panels give the same bytes on
/// one machine: the font ships with the library.
/// </remarks>
public sealed partial class Figure
{
    private readonly List<Plot> _panels = [];

    /// <param name="name">File name without extension, in kebab-case; unique within its experiment.</param>
    /// <param name="title">What it shows, a few words.</param>
    /// <param name="caption">What a reader should see in it, with the counts behind it (models, seeds, samples). Plain text.</param>
    /// <param name="columns">Panels in a row. In 1 … 6.</param>
    /// <param name="panelWidth">Pixels of a panel.</param>
    /// <param name="panelHeight">Pixels of a panel.</param>
    public Figure(string name, string title, string caption, int columns = 1, int panelWidth = 460, int panelHeight = 360)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(columns, 6);
        (Name, Title, Caption, Columns, PanelWidth, PanelHeight) = (name, title, caption, columns, panelWidth, panelHeight);
    }

    /// <summary>File name without extension.</summary>
    public string Name { get; }

    /// <summary>What it shows.</summary>
    public string Title { get; }

    /// <summary>What a reader should see in it.</summary>
    public string Caption { get; }

    /// <summary>Panels in a row.</summary>
    public int Columns { get; }

    /// <summary>Pixels of a panel.</summary>
    public int PanelWidth { get; }

    /// <summary>Pixels of a panel.</summary>
    public int PanelHeight { get; }

    /// <summary>Panels so far.</summary>
    public int PanelCount => _panels.Count;

    /// <summary>Pixels of the whole figure.</summary>
    public (int Width, int Height) Size =>
        (PanelWidth * Math.Min(Columns, _panels.Count), PanelHeight * ((_panels.Count + Columns - 1) / Columns));

    /// <summary>Adds a panel.</summary>
    /// <param name="title">Its title, short.</param>
    /// <param name="x">The quantity along x, with its unit where it has one.</param>
    /// <param name="y">The quantity along y, with its unit where it has one.</param>
    /// <returns>The plot, to be filled.</returns>
    public Plot Panel(string title, string x, string y)
    {
        FigureFont.Register();
        var plot = new Plot();
        // Panels share a canvas; each would wipe away those before it.
        plot.RenderManager.ClearCanvasBeforeEachRender = false;
        plot.Title(title, 14);
        plot.XLabel(x, 12);
        plot.YLabel(y, 12);
        plot.Grid.MajorLineColor = Colors.Black.WithOpacity(0.08);
        plot.Legend.FontSize = 11;
        plot.Legend.BackgroundColor = Colors.White.WithAlpha(.85);
        plot.Legend.OutlineColor = Colors.Black.WithAlpha(.15);
        plot.Legend.ShadowColor = Colors.Transparent;
        _panels.Add(plot);
        return plot;
    }

    /// <summary>The figure as an SVG document.</summary>
    /// <exception cref="InvalidOperationException">It has no panels.</exception>
    public string Svg()
    {
        var (width, height) = RequireSize();
        using var stream = new MemoryStream();
        using (var canvas = SKSvgCanvas.Create(new SKRect(0, 0, width, height), stream))
            Draw(canvas);
        return Renumbered(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
    }

    /// <summary>The figure as a PNG file, two pixels for each of <see cref="Size"/>.</summary>
    /// <exception cref="InvalidOperationException">It has no panels.</exception>
    public byte[] Png()
    {
        const int scale = 2;
        var (width, height) = RequireSize();
        using var bitmap = new SKBitmap(width * scale, height * scale);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Scale(scale);
            Draw(canvas);
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    /// <summary>Skia counts its element ids over the process; here they are counted from the document's beginning.</summary>
    private static string Renumbered(string svg)
    {
        var ids = new Dictionary<string, string>();
        return ElementId()
            .Replace(
                svg,
                match =>
                {
                    if (!ids.TryGetValue(match.Value, out var id))
                        ids[match.Value] = id = $"{match.Groups["kind"].Value}_{ids.Count}";
                    return id;
                }
            );
    }

    [GeneratedRegex(
        @"(?<=id=""|url\(#|href=""#)(?<kind>[a-z]+)_[0-9a-f]+(?=""|\))",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        10_000
    )]
    private static partial Regex ElementId();

    private (int Width, int Height) RequireSize() =>
        _panels.Count > 0 ? Size : throw new InvalidOperationException($"figure '{Name}' has no panels");

    private void Draw(SKCanvas canvas)
    {
        canvas.Clear(SKColors.White);
        for (var i = 0; i < _panels.Count; i++)
        {
            float left = i % Columns * PanelWidth,
                top = i / Columns * PanelHeight;
            _panels[i].Render(canvas, new PixelRect(left, left + PanelWidth, top + PanelHeight, top));
        }
    }
}
