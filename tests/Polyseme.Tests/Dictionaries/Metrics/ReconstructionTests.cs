using Polyseme.Dictionaries.Metrics;
using Polyseme.Numerics;

namespace Polyseme.Tests.Dictionaries.Metrics;

public sealed class ReconstructionTests
{
    [Fact]
    public void Four_rows_by_hand_give_every_variant()
    {
        // x = (2,0), (−2,0), (0,4), (0,−4); x̂ = x/2. E‖x‖² = 10, E x = 0, E‖e‖² = 2.5.
        var result = Measure([2, 0, -2, 0, 0, 4, 0, -4], [1, 0, -1, 0, 0, 2, 0, -2], 2, 4);
        Assert.Equal(0.25, result.Fvu!.Value, 1e-12);
        Assert.Equal(0.75, result.ExplainedVariance!.Value, 1e-12);
        // mean_d E[x_d²] = (2 + 8)/2 = 5: the denominator is 10 − 25.
        Assert.Equal(1 - (2.5 / -15), result.ExplainedVarianceSaeBench060!.Value, 1e-12);
        Assert.Equal(0.75, result.ExplainedVarianceLegacy!.Value, 1e-12);
        Assert.Equal(0.75, result.ExplainedVarianceDictionaryLearning!.Value, 1e-12);
        Assert.Equal(0.75, result.R2Overcomplete!.Value, 1e-12);
        Assert.Equal(0.25, result.FvuSparsify!.Value, 1e-12);
        Assert.Equal(0.25, result.NormalisedErrorOpenAi!.Value, 1e-12);
        Assert.Equal((2.5, 1.25), (result.SquaredError, result.MeanSquaredError));
        Assert.Equal(1, result.Cosine!.Value, 1e-12);
        Assert.Equal(0.5, result.L2Ratio!.Value, 1e-12);
        Assert.Equal(0.5, result.RelativeReconstructionBias!.Value, 1e-12); // ¼/½
    }

    [Fact]
    public void A_constant_error_costs_nothing_only_in_dictionary_learnings_variant()
    {
        var (x, _) = Rows(1000, 3, offset: 0);
        var shifted = Array.ConvertAll(x, value => value + 5);
        var result = Measure(x, shifted, 3, 100);
        Assert.Equal(1, result.ExplainedVarianceDictionaryLearning!.Value, 1e-5);
        Assert.InRange(result.ExplainedVariance!.Value, -30, -20); // 25/1 of the variance is missed
    }

    [Fact]
    public void A_common_offset_flatters_the_uncentred_measures_and_not_the_right_one()
    {
        var (x, back) = Rows(5000, 3, offset: 0);
        var (far, farBack) = Rows(5000, 3, offset: 1000);
        var (near, offset) = (Measure(x, back, 3, 500), Measure(far, farBack, 3, 500));
        Assert.Equal(near.Fvu!.Value, offset.Fvu!.Value, 1e-3); // float32 rounding of 1000 ± 1
        Assert.True(offset.NormalisedErrorOpenAi < 1e-5);
        Assert.True(near.NormalisedErrorOpenAi > 0.1);
    }

    [Fact]
    public void Giving_back_the_mean_explains_nothing()
    {
        var (x, _) = Rows(2000, 4, offset: 3);
        var mean = Enumerable.Range(0, 4).Select(j => (float)Enumerable.Range(0, 2000).Average(i => x[(i * 4) + j])).ToArray();
        var result = Measure(x, [.. Enumerable.Range(0, x.Length).Select(i => mean[i % 4])], 4, 2000);
        Assert.Equal(0, result.ExplainedVariance!.Value, 1e-5);
        Assert.Equal(0, result.ExplainedVarianceDictionaryLearning!.Value, 1e-5);
    }

    [Fact]
    public void The_unit_changes_saebenchs_variant_and_no_other()
    {
        var (x, back) = Rows(1000, 3, offset: 0);
        var (one, ten) = (Measure(x, back, 3, 100), Measure(Times(x, 10), Times(back, 10), 3, 100));
        Assert.Equal(one.ExplainedVariance!.Value, ten.ExplainedVariance!.Value, 1e-6);
        Assert.Equal(one.ExplainedVarianceLegacy!.Value, ten.ExplainedVarianceLegacy!.Value, 1e-6);
        Assert.True(Math.Abs(one.ExplainedVarianceSaeBench060!.Value - ten.ExplainedVarianceSaeBench060!.Value) > 0.1);
    }

    [Fact]
    public void Blocks_of_any_size_give_the_same_and_constant_rows_give_null()
    {
        var (x, back) = Rows(300, 3, offset: 1);
        var whole = Measure(x, back, 3, 64);
        var sums = new ReconstructionSums(3, 64);
        for (var start = 0; start < x.Length; start += 21)
            sums.Add(x.AsSpan(start, Math.Min(21, x.Length - start)), back.AsSpan(start, Math.Min(21, x.Length - start)));
        Assert.Equal(whole, sums.Result());
        var constant = Measure([.. Enumerable.Repeat(2f, 30)], new float[30], 3, 5);
        Assert.Null(constant.Fvu);
        Assert.Null(constant.ExplainedVarianceLegacy);
        Assert.Throws<InvalidOperationException>(() => new ReconstructionSums(2, 2).Result());
    }

    [Fact]
    public void The_gap_is_held_out_less_train()
    {
        var (x, back) = Rows(500, 3, offset: 0);
        var gap = HeldOutGap.Of(Measure(x, x, 3, 100), Measure(x, back, 3, 100));
        Assert.Equal((0.0, gap.HeldOutFvu), (gap.TrainFvu, gap.Gap));
        Assert.True(gap.Gap > 0.1);
    }

    internal static Reconstruction Measure(float[] x, float[] back, int width, int batch)
    {
        var sums = new ReconstructionSums(width, batch);
        sums.Add(x, back);
        return sums.Result();
    }

    private static float[] Times(float[] values, float factor) => Array.ConvertAll(values, value => value * factor);

    /// <summary>Standard normal rows about an offset, and the same with noise of half the size.</summary>
    private static (float[] Rows, float[] Back) Rows(int count, int width, double offset)
    {
        var random = new RandomStream(7, "rows");
        var (x, back) = (new float[count * width], new float[count * width]);
        for (var i = 0; i < x.Length; i++)
        {
            var value = offset + random.NextNormal();
            (x[i], back[i]) = ((float)value, (float)(value + (0.5 * random.NextNormal())));
        }
        return (x, back);
    }
}
