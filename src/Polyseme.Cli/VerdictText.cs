using Polyseme.Evidence;
using Polyseme.Verdicts;

namespace Polyseme.Cli;

/// <summary>A diagnosis as a person reads it on a screen.</summary>
internal static class VerdictText
{
    private const int NeuronsShown = 10;
    private const int ConceptsShown = 30;

    /// <summary>Writes the verdict, its evidence, the most polysemantic neurons, and the concepts.</summary>
    public static void Write(Terminal terminal, string title, DiagnosisResult result)
    {
        var (output, layer, input) = (terminal.Out, result.Layer, result.Input);
        void Line(string heading, string text) => output.WriteLine($"{heading, -12}{Terminal.Escape(text)}");

        Line(
            "layer",
            $"{title}: {input.NSamples} samples × {input.NNeurons} neurons, access {string.Join(" + ", input.Access)}, split by {input.Groups}"
        );
        if (input.NDropped > 0)
            Line("dropped", $"{input.NDropped} rows that held NaN or infinity");
        Line("verdict", Verdict(layer));
        if (layer.Reason is not null)
            Line("", layer.Reason);
        Line("set", $"{{{Set(layer.Set)}}} at {layer.Coverage:0.##} coverage");
        Line("counts", Counts(layer));
        Line(
            "posterior",
            string.Join(", ", layer.Posterior.OrderByDescending(cause => cause.Value).Select(cause => $"{cause.Key} {Number(cause.Value)}"))
        );
        if (layer.Components.Count > 1)
            Line("shares", string.Join(", ", layer.Components.Select(part => $"{Causes.Id(part.Cause)} {Number(part.Share)}")));
        if (layer.OutOfDistribution)
            Line("caution", "this layer is unlike anything the judge was checked on");

        output.WriteLine();
        var evidence = new TextTable("measure", ">value", ">null mean", ">null sd", ">p", "favours");
        foreach (var item in result.Evidence.Where(item => item.Scope == "layer"))
            evidence.Add(
                item.Measure,
                item.Value is null ? $"– ({item.Reason})" : $"{Number(item.Value)} {item.Unit}",
                Number(item.NullMean),
                Number(item.NullSd),
                Number(item.PValue),
                item.Favours is { } cause ? Causes.Id(cause) : "–"
            );
        evidence.Write(terminal);

        var live = result.Neurons.Where(neuron => neuron.Budget is not null).ToList();
        output.WriteLine();
        output.WriteLine(
            $"neurons: {result.Neurons.Count} reported, {live.Count} live, {live.Count(neuron => neuron.Polysemantic == true)} polysemantic"
        );
        var neurons = new TextTable(
            ">neuron",
            "verdict",
            ">score",
            ">aligned",
            ">rotated",
            ">superposed",
            ">multidim.",
            ">unstructured",
            "concepts (AUC)"
        );
        foreach (
            var neuron in live.OrderByDescending(n => n.Polysemantic == true)
                .ThenByDescending(n => n.Score)
                .ThenBy(n => n.Index)
                .Take(NeuronsShown)
        )
            neurons.Add(
                $"{neuron.Index}",
                neuron.Verdict,
                Number(neuron.Score),
                Number(neuron.Budget!.Aligned),
                Number(neuron.Budget.Rotated),
                Number(neuron.Budget.Superposed),
                Number(neuron.Budget.Multidimensional),
                Number(neuron.Budget.Unstructured),
                string.Join(", ", neuron.Concepts.Take(3).Select(concept => $"{concept.Name} {Number(concept.Auc)}"))
            );
        neurons.Write(terminal);

        if (result.Concepts.Count == 0)
            return;
        output.WriteLine();
        var concepts = new TextTable("concept", "represented", ">R² linear", ">R² best");
        foreach (var concept in result.Concepts.Take(ConceptsShown))
            concepts.Add(concept.Name, concept.Verdict, Number(concept.R2Linear), Number(concept.R2Best));
        concepts.Write(terminal);
        if (result.Concepts.Count > ConceptsShown)
            output.WriteLine($"… and {result.Concepts.Count - ConceptsShown} more concepts");
    }

    /// <summary>The verdict by its shown name, with its subtype or reason code.</summary>
    public static string Verdict(LayerVerdict layer)
    {
        var name = layer.Verdict switch
        {
            "mixed" => "Mixed",
            "undetermined" => "Undetermined",
            var id => Causes.DisplayName(Causes.All.Single(cause => Causes.Id(cause) == id)),
        };
        var detail = layer.Subtype ?? layer.ReasonCode;
        return detail is null ? name : $"{name} ({detail})";
    }

    /// <summary>The four numbers that every verdict prints.</summary>
    public static string Counts(LayerVerdict layer) =>
        $"d {layer.D}, r {Number(layer.R)}, n_line {Number(layer.NLine)}, n_ray {Number(layer.NRay)}";

    /// <summary>The causes that remain possible.</summary>
    public static string Set(IReadOnlyList<Cause> set) => string.Join(", ", set.Select(Causes.Id));

    /// <summary>One piece of evidence in a few words: the measure, its value, and where its null lies.</summary>
    public static string Evidence(EvidenceItem item) =>
        item.NullMean is null
            ? $"{item.Measure} {Number(item.Value)}"
            : $"{item.Measure} {Number(item.Value)} (null {Number(item.NullMean)})";

    /// <summary>Three digits are enough to read; a dash is what is undefined.</summary>
    public static string Number(double? value) =>
        value switch
        {
            null => "–",
            0 => "0",
            { } small when Math.Abs(small) < 0.001 => small.ToString("0.#e-0"),
            { } large when Math.Abs(large) >= 1000 => large.ToString("0"),
            { } number => number.ToString("0.###"),
        };
}
