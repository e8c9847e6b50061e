using ScottPlot;
using SkiaSharp;

namespace Polyseme.Reports.Figures;

/// <summary>The font of every figure ships with the library, so that figures do not differ by machine.</summary>
/// <remarks>DejaVu Sans, whose Greek letters, hats and norm bars draw right; its licence lies beside it.</remarks>
internal sealed class FigureFont : IFontResolver
{
    /// <summary>The name that plots ask for.</summary>
    public const string Name = "DejaVu Sans";

    private static readonly Lazy<SKTypeface> s_regular = new(() => Load("DejaVuSans.ttf"));
    private static readonly Lazy<SKTypeface> s_bold = new(() => Load("DejaVuSans-Bold.ttf"));

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        CreateTypeface(fontName, weight >= FontWeight.SemiBold, slant != FontSlant.Upright);

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) =>
        fontName == Name ? (bold ? s_bold : s_regular).Value : null;

    /// <summary>Makes it the font of every plot. May be called often.</summary>
    public static void Register() => _ = s_registered.Value;

    private static readonly Lazy<bool> s_registered = new(() =>
    {
        Fonts.FontResolvers.Insert(0, new FigureFont());
        Fonts.Default = Name;
        Fonts.Sans = Name;
        return true;
    });

    private static SKTypeface Load(string file)
    {
        using var stream =
            typeof(FigureFont).Assembly.GetManifestResourceStream($"Polyseme.Fonts.{file}")
            ?? throw new InvalidOperationException($"the font {file} is not in the assembly");
        return SKTypeface.FromStream(stream) ?? throw new InvalidOperationException($"{file} is not a font");
    }
}
