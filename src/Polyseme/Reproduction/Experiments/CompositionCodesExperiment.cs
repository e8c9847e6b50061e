using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Two attributes of four values in four codes: how many units, what is linear, and how many values a unit fires for.</summary>
public sealed class CompositionCodesExperiment : Experiment
{
    /// <inheritdoc/>
    public override string Name => "composition-codes";

    /// <inheritdoc/>
    public override string Title => "four codes of two attributes, from local to dense";

    /// <inheritdoc/>
    public override string Source => new CompositionCodes().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const string source = "Thorpe 1989; derived";
        var figure = new Figure(
            "codes",
            "Four codes of two attributes",
            "Units (columns) of all sixteen conjunctions of two four-valued attributes (rows; the first attribute changes every four rows), red = active.",
            columns: 4,
            panelWidth: 290,
            panelHeight: 300
        );
        var rows = new List<ClaimRow>();
        (string Code, int Units)[] expected = [("local", 16), ("semi-local", 8), ("semi-distributed", 8), ("dense", 4)];
        foreach (var (code, units) in expected)
        {
            var network = CompositionCodes.Layer(code);
            var hidden = network.Hidden(CompositionCodes.Conjunctions());
            var values = CompositionCodes.Values();
            rows.Add(ClaimRow.Check($"{code}: units", source, $"{units}", hidden.Columns, units, units));
            Add($"{code}: linear R² of a value of an attribute", CompositionCodes.ExpectedValueR2(code), CompositionCodes.ValueR2(network));
            Add(
                $"{code}: linear R² of a conjunction",
                CompositionCodes.ExpectedConjunctionR2(code),
                CompositionCodes.ConjunctionR2(network)
            );
            // A unit is selective for a value when it fires for every conjunction that has it.
            var always = Enumerable
                .Range(0, hidden.Columns)
                .Average(unit =>
                    (double)
                        Enumerable
                            .Range(0, values.Columns)
                            .Count(value => Enumerable.Range(0, 16).All(row => values[row, value] == 0 || hidden[row, unit] > 0))
                );
            rows.Add(ClaimRow.Measure($"{code}: values that a unit fires for in every context, mean over units", source, null, always));
            figure.Heatmap(code, hidden, 2, "conjunction", "unit");
        }
        return new ExperimentResult("all sixteen conjunctions, each once", rows, [figure]);
        void Add(string claim, double reference, double ours) =>
            rows.Add(ClaimRow.Check(claim, source, $"{reference:0.###}", ours, reference - 1e-6, reference + 1e-6));
    }
}
