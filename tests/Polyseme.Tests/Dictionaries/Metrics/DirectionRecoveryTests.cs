using Polyseme.Dictionaries.Metrics;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Dictionaries.Metrics;

public sealed class DirectionRecoveryTests
{
    [Fact]
    public void The_truth_itself_permuted_and_scaled_is_recovered()
    {
        var truth = PlantedLayers.Directions(12, 6, 5);
        var order = new RandomStream(5, "order").Permutation(12);
        var found = truth.SelectRows(order);
        for (var i = 0; i < found.Data.Length; i++)
            found.Data[i] *= 3;
        var recovery = DirectionRecovery.Measure(truth, found, upToSign: false);
        Assert.Equal(1, recovery.MmcsTruthToDictionary, 1e-12);
        Assert.Equal(1, recovery.MmcsDictionaryToTruth, 1e-12);
        Assert.Equal(1, recovery.Mcc, 1e-12);
        Assert.Equal((1.0, 12), (recovery.Uniqueness, recovery.Recovered));
        Assert.All(recovery.Matching, (latent, feature) => Assert.Equal(feature, order[latent]));
    }

    [Fact]
    public void Two_latents_on_one_feature_count_once()
    {
        var truth = Matrix.FromRows([1, 0, 0], [0, 1, 0]);
        var found = Matrix.FromRows([1, 0, 0], [1, 0, 0]);
        var recovery = DirectionRecovery.Measure(truth, found, upToSign: false);
        Assert.Equal(0.5, recovery.MmcsTruthToDictionary, 1e-12); // the second feature has nothing
        Assert.Equal(1, recovery.MmcsDictionaryToTruth, 1e-12); // yet all that was found is there
        Assert.Equal(0.5, recovery.Mcc, 1e-12);
        Assert.Equal((0.5, 1), (recovery.Uniqueness, recovery.Recovered));
    }

    [Fact]
    public void A_direction_the_wrong_way_round_counts_only_up_to_sign()
    {
        var truth = Matrix.FromRows([1, 0]);
        var found = Matrix.FromRows([-1, 0]);
        Assert.Equal(-1, DirectionRecovery.Measure(truth, found, upToSign: false).MmcsTruthToDictionary, 1e-12);
        Assert.Equal(1, DirectionRecovery.Measure(truth, found, upToSign: true).MmcsTruthToDictionary, 1e-12);
        Assert.Equal(1, DirectionRecovery.Measure(truth, found, upToSign: false).Mcc, 1e-12); // |cosine| by definition
    }

    [Fact]
    public void Random_directions_recover_nothing_and_match_at_chance()
    {
        const int d = 200;
        var recovery = DirectionRecovery.Measure(PlantedLayers.Directions(5, d, 1), PlantedLayers.Directions(5, d, 2), upToSign: true);
        Assert.Equal(0, recovery.Recovered);
        // E|cos| of random unit vectors is √(2/(πd)) = .056; the best matching of five is a little above.
        Assert.InRange(recovery.Mcc, 0.03, 0.15);
    }

    [Fact]
    public void A_zero_direction_has_cosine_zero() =>
        Assert.Equal(0, DirectionRecovery.Measure(Matrix.FromRows([1, 0]), Matrix.FromRows([0, 0]), upToSign: false).MmcsTruthToDictionary);

    [Fact]
    public void Stability_is_one_for_the_same_directions_and_at_chance_for_others()
    {
        var a = PlantedLayers.Directions(20, 100, 1);
        var same = SeedStability.Measure([a, a.SelectRows([.. Enumerable.Range(0, 20).Reverse()])], upToSign: false);
        Assert.Equal(1, same.LeastMmcs, 1e-12);
        Assert.Equal(1, same.MeanMcc, 1e-12);
        Assert.InRange(SeedStability.Measure([a, PlantedLayers.Directions(20, 100, 2)], upToSign: false).MeanMmcs, 0, 0.35);
        Assert.Throws<ArgumentException>(() => SeedStability.Measure([a], upToSign: false));
    }

    [Fact]
    public void Precision_recall_and_the_false_positive_share_are_counts()
    {
        // Latent 0 fires in rows 0, 1, 2; its feature is active in 1, 2, 3, 4. Latent 1 never fires.
        var counter = new LatentDetectionCounter([0, 1], 2);
        counter.Add([1, 0, 1, 0, 1, 0], [0, 0, 1, 0, 1, 0]);
        counter.Add([0, 0, 0, 0], [1, 1, 1, 0]);
        var detection = counter.Result();
        var first = detection.Latents[0];
        Assert.Equal((2.0 / 3, 0.5, 4.0 / 7), (first.Precision!.Value, first.Recall!.Value, first.F1!.Value));
        Assert.Null(detection.Latents[1].Precision);
        Assert.Equal(0, detection.Latents[1].F1);
        Assert.Equal(2.0 / 7, detection.F1, 1e-12);
        Assert.Equal(1.0 / 3, detection.FalsePositiveShare!.Value, 1e-12);
        Assert.Equal(1, detection.TrueL0, 1e-12);
    }
}
