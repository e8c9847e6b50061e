using ScottPlot;

namespace Polyseme.Reports.Figures;

/// <summary>Colours that people with any colour vision can tell apart.</summary>
/// <remarks>Okabe and Ito 2008, "Color Universal Design"; their yellow is left out, which vanishes on white.</remarks>
public static class FigurePalette
{
    /// <summary>For categories, in the order of use.</summary>
    public static IReadOnlyList<Color> Categories { get; } =
    [
        Color.FromHex("#0072B2"),
        Color.FromHex("#D55E00"),
        Color.FromHex("#009E73"),
        Color.FromHex("#CC79A7"),
        Color.FromHex("#56B4E9"),
        Color.FromHex("#E69F00"),
        Color.FromHex("#000000"),
    ];

    /// <summary>For what a curve is compared with: references, bounds, published values.</summary>
    public static Color Reference { get; } = Color.FromHex("#666666");

    /// <summary>For values with a sign: blue, white at zero, red.</summary>
    public static IColormap Diverging { get; } =
        new ScottPlot.Colormaps.CustomInterpolated([
            Color.FromHex("#08519C"),
            Color.FromHex("#6BAED6"),
            Color.FromHex("#FFFFFF"),
            Color.FromHex("#FB8A5C"),
            Color.FromHex("#B30000"),
        ]);

    /// <summary>For values from small to large.</summary>
    public static IColormap Sequential { get; } = new ScottPlot.Colormaps.Viridis();

    /// <summary>The colour of category <paramref name="index"/>, starting again after the last.</summary>
    public static Color Category(int index) => Categories[index % Categories.Count];
}
