using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Tests.Zoo;

public sealed class ToySettingTests
{
    private static ToySetting Setting(int features, double density) =>
        new()
        {
            Shape = ToySetting.Uniform(features, 2),
            Inputs = new ToyInputs.Fresh(density),
            Steps = 200,
            Seeds = 3,
            Batch = 128,
            JudgedRows = 1000,
        };

    [Fact]
    public void Settings_trained_together_give_what_each_gives_alone()
    {
        ToySetting[] settings = [Setting(5, 0.1), Setting(6, 0.3)];
        var together = ToySetting.TrainAll(settings, 7, null, TestContext.Current.CancellationToken);
        foreach (var (setting, best) in settings.Zip(together))
        {
            var alone = setting.Train(7, null, TestContext.Current.CancellationToken);
            Assert.Equal<double>(alone.Losses, best.Losses);
            Assert.Equal<double>(alone.Best.Parameters.W.Data, best.Best.Parameters.W.Data);
            Assert.Equal(best.Losses.Min(), best.Loss);
            Assert.Equal(setting.Seeds, best.Sound.Count);
        }
    }

    [Fact]
    public void Gaps_of_a_regular_polygon_are_equal_whatever_the_order_of_its_corners()
    {
        int[] order = [3, 0, 4, 1, 2];
        var pentagon = new Polyseme.Numerics.Matrix(5, 2);
        for (var i = 0; i < 5; i++)
            (pentagon[i, 0], pentagon[i, 1]) = (Math.Cos(2 * Math.PI * order[i] / 5), Math.Sin(2 * Math.PI * order[i] / 5));
        Assert.All(FeatureGeometry.Gaps(pentagon, [0, 1, 2, 3, 4]), gap => Assert.Equal(72, gap, 1e-9));
        Assert.Equal(144, FeatureGeometry.Gaps(pentagon, [1, 3, 0, 2]).Max(), 1e-9);
    }
}
