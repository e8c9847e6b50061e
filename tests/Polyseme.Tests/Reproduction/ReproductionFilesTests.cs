using Polyseme.Reports.Figures;
using Polyseme.Reproduction;
using Polyseme.Runs;

namespace Polyseme.Tests.Reproduction;

public sealed class ReproductionFilesTests
{
    private static readonly ReproductionConfig s_quick = new(ReproductionSize.Quick);

    [Fact]
    public void A_claim_passes_inside_its_range_and_fails_outside_and_when_undefined()
    {
        Assert.Equal(ClaimStatus.Passed, ClaimRow.Check("c", "s", null, 1, 1, 1).Status);
        Assert.Equal(ClaimStatus.Failed, ClaimRow.Check("c", "s", null, 1.01, 0, 1).Status);
        Assert.Equal(
            ClaimStatus.Failed,
            ClaimRow.Check("c", "s", null, double.NaN, double.NegativeInfinity, double.PositiveInfinity).Status
        );
        Assert.Equal(ClaimStatus.Failed, ClaimRow.Check("c", "s", false).Status);
    }

    [Fact]
    public void What_is_written_is_read_again_and_another_configuration_is_not()
    {
        using var folder = new TemporaryFolder();
        var files = new ReproductionFiles(RunFolder.Open(Path.Combine(folder.Path, "run")));
        var written = files.Write(new Planted(), s_quick, new Planted().Run(s_quick, null, TestContext.Current.CancellationToken), 2, 1.5);
        var read = files.Read("planted", s_quick)!;
        Assert.Equal(written.Rows, read.Rows);
        Assert.Equal(written.Figures, read.Figures);
        Assert.Null(files.Read("planted", s_quick with { Seed = 1 }));
        Assert.Null(files.Read("planted", s_quick with { Size = ReproductionSize.Full }));
        Assert.Null(files.Read("absent", s_quick));
        Assert.True(File.Exists(Path.Combine(folder.Path, "run", "planted-line.svg")));
        Assert.True(File.Exists(Path.Combine(folder.Path, "run", "planted-line.png")));
    }

    [Fact]
    public void A_torn_record_counts_as_absent()
    {
        using var folder = new TemporaryFolder();
        var files = new ReproductionFiles(RunFolder.Open(folder.Path));
        files.Write(new Planted(), s_quick, new Planted().Run(s_quick, null, TestContext.Current.CancellationToken), 2, 1.5);
        var path = Path.Combine(folder.Path, "planted.json");
        File.WriteAllText(path, File.ReadAllText(path)[..40]);
        Assert.Null(files.Read("planted", s_quick));
    }

    [Fact]
    public void The_table_names_every_claim_its_range_and_its_result()
    {
        using var folder = new TemporaryFolder();
        var files = new ReproductionFiles(RunFolder.Open(Path.Combine(folder.Path, "run")));
        var record = files.Write(new Planted(), s_quick, new Planted().Run(s_quick, null, TestContext.Current.CancellationToken), 2, 1.5);
        files.WriteTable([record]);
        var text = File.ReadAllText(Path.Combine(folder.Path, "run.md"));
        Assert.Contains("1 experiment, 4 claims: 1 passed, 1 failed, 1 measured without an assertion, 1 pending", text);
        Assert.Contains("| a within \\| range | derived | 0.5 | 0.500 | 0.400 … 0.600 | ✓ passed |  |", text);
        Assert.Contains("| b too large | derived |  | 3 | ≤ 2 | ✗ failed |  |", text);
        Assert.Contains("| d waits | derived |  |  |  | … pending | needs a dictionary |", text);
        Assert.Contains("![A line](run/planted-line.svg)", text);
        Assert.Contains("size quick, seed 0, 2 threads", text);
    }

    [Fact]
    public void The_same_figure_gives_the_same_bytes_and_keeps_its_text()
    {
        Figure Once() => new Planted().Run(s_quick, null, TestContext.Current.CancellationToken).Figures[0];
        Assert.Equal(Once().Svg(), Once().Svg());
        Assert.Equal<byte>(Once().Png(), Once().Png());
        Assert.Contains("DejaVu Sans", Once().Svg(), StringComparison.Ordinal);
    }

    private sealed class Planted : Experiment
    {
        public override string Name => "planted";
        public override string Title => "a planted experiment";
        public override string Source => "nobody";

        public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
        {
            var figure = new Figure("line", "A line", "It rises.");
            figure.Panel("a line", "x", "‖W‖²").Add.Scatter(new double[] { 0, 1 }, new double[] { 0, 1 });
            return new ExperimentResult(
                "once",
                [
                    ClaimRow.Check("a within | range", "derived", "0.5", 0.5, 0.4, 0.6),
                    ClaimRow.Check("b too large", "derived", null, 3, double.NegativeInfinity, 2),
                    ClaimRow.Measure("c measured", "derived", null, 7),
                    ClaimRow.Pending("d waits", "derived", null, "a dictionary"),
                ],
                [figure]
            );
        }
    }
}
