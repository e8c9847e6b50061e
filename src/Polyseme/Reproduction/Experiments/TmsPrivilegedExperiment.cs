using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>The privileged basis over sparsity, and the dense model stopped early beside its longer twin.</summary>
public sealed class TmsPrivilegedExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022; reference program";
    private static readonly ZooMember s_member = ZooCatalogue.Find("tms-privileged");

    /// <summary>Monosemantic and polysemantic neurons and represented features of the best of 24, by density, from a reference program.</summary>
    private static readonly (double Density, int Monosemantic, int Polysemantic, int Features)[] s_reference =
    [
        (1, 5, 0, 5),
        (0.5, 5, 0, 5),
        (0.3, 3, 2, 6),
        (0.2, 3, 2, 6),
        (0.1, 2, 3, 7),
        (0.05, 0, 5, 9),
        (0.02, 0, 5, 10),
    ];

    /// <inheritdoc/>
    public override string Name => "tms-privileged";

    /// <inheritdoc/>
    public override string Title => "privileged basis: monosemantic when dense, polysemantic when sparse, rotated when stopped early";

    /// <inheritdoc/>
    public override string Source => s_member.Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        Matrix Train(PrivilegedBasisConfig privileged, out IReadOnlyList<Acceptance> acceptances)
        {
            var run = s_member.Run(privileged with { Seed = config.Seed, Samples = 1000 }, progress, cancellation);
            acceptances = run.Acceptances;
            return ((ToyNetwork)run.Network).Parameters.W;
        }
        var stopped = Train(new PrivilegedBasisConfig { Steps = 3000, Seeds = 60 }, out var atStop);
        var finished = Train(new PrivilegedBasisConfig { Steps = 30_000, Seeds = config.Choose(8, 12, 60) }, out var atEnd);
        List<ClaimRow> rows =
        [
            .. atStop.Select(acceptance => ClaimRow.Of(acceptance, "density 1, stopped at 3,000 steps, best of 60")),
            .. atEnd.Select(acceptance =>
                ClaimRow.Of(acceptance, $"density 1, the same models to 30,000 steps, best of {config.Choose(8, 12, 60)}")
            ),
        ];
        var densities = config.Choose<double[]>(
            [],
            [.. s_reference.Select(row => row.Density)],
            [.. s_reference.Select(row => row.Density)]
        );
        var sparse = new List<(string Title, Matrix W)> { ("1 − S = 1, stopped at 3,000", stopped), ("1 − S = 1, 30,000 steps", finished) };
        foreach (var density in densities)
        {
            var w = Train(
                new PrivilegedBasisConfig
                {
                    Density = density,
                    Steps = 20_000,
                    Seeds = 24,
                },
                out var acceptances
            );
            rows.AddRange(acceptances.Select(acceptance => ClaimRow.Of(acceptance, $"density {density}, 20,000 steps, best of 24")));
            rows.AddRange(Claims(density, w));
            sparse.Add(($"1 − S = {density}, 20,000 steps", w));
        }
        return new ExperimentResult(
            "n = 10, m = 5, I = .75^i, Adam 5e-3 to zero, 256 rows a step, positive start; density 1 at 3,000 steps (best of 60) and 30,000"
                + (densities.Length > 0 ? $"; densities {string.Join(", ", densities)} at 20,000 steps, best of 24" : ""),
            rows,
            [Picture(sparse)]
        );
    }

    private static IEnumerable<ClaimRow> Claims(double density, Matrix w)
    {
        var (_, monosemantic, polysemantic, features) = s_reference.Single(row => row.Density == density);
        var (mono, poly) = PrivilegedBasis.CountNeurons(w);
        var represented = FeatureGeometry.Represented(w).Length;
        var note =
            $"monosemantic {mono}, polysemantic {poly}, features {represented}; reference {monosemantic}, {polysemantic}, {features}";
        if (density >= 0.5)
            yield return ClaimRow.Check($"density {density}: five monosemantic neurons", Paper, "5", mono, 5, 5, note);
        else if (density >= 0.2)
        {
            yield return ClaimRow.Check($"density {density}: monosemantic neurons", Paper, "3", mono, 3, 3, note);
            yield return ClaimRow.Check($"density {density}: polysemantic neurons", Paper, "2", poly, 2, 2);
            yield return ClaimRow.Check($"density {density}: features represented", Paper, "6", represented, 6, 6);
        }
        else if (density <= 0.05)
        {
            yield return ClaimRow.Check($"density {density}: polysemantic neurons", Paper, "5", poly, 4, 5, note);
            yield return ClaimRow.Check($"density {density}: features represented", Paper, $"{features}", represented, 8, 10);
        }
        else
        {
            yield return ClaimRow.Measure($"density {density}: polysemantic neurons", Paper, $"{polysemantic}", poly, note);
        }
    }

    private static Figure Picture(List<(string Title, Matrix W)> models)
    {
        var figure = new Figure(
            "neurons",
            "What each neuron carries: weights of the ten features, stacked",
            "One colour per bar is a monosemantic neuron; several are a polysemantic one. Dense and trained to the end: one feature each. Dense and stopped early: the same five features, turned. Sparse: more features than neurons.",
            columns: 3,
            panelWidth: 340,
            panelHeight: 280
        );
        foreach (var (title, w) in models)
            figure.StackedNeurons(title, w);
        return figure;
    }
}
