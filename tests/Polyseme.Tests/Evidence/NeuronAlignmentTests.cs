using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Evidence;

public sealed class NeuronAlignmentTests
{
    [Fact]
    public void Neurons_that_are_their_features_are_aligned()
    {
        var alignment = MeasuredLayer.Monosemantic.Measures.Alignment!;
        Assert.Equal(1, alignment.AlignedNeurons);
        Assert.True(alignment.Median > 0.95, $"{alignment.Median}");
        Assert.True(alignment.Median > alignment.Null.Mean + (3 * alignment.Null.Sd));
    }

    [Fact]
    public void Neurons_behind_a_rotation_are_not()
    {
        var alignment = MeasuredLayer.Rotated.Measures.Alignment!;
        Assert.True(alignment.AlignedNeurons < 0.6, $"{alignment.AlignedNeurons}");
    }

    [Fact]
    public void Shares_of_a_full_rotation_sum_to_the_neurons_variance()
    {
        var subspace = PlantedLayers.Subspace(PlantedLayers.Gaussian(500, 5));
        var random = new RandomStream(1, "alignment");
        var alignment = NeuronAlignment.Measure(subspace, NullData.Rotation(5, random), 3, random);
        for (var j = 0; j < 5; j++)
        {
            var sum = alignment.Shares.Row(j).ToArray().Sum();
            Assert.Equal(1, sum, 1e-9);
            Assert.InRange(alignment.Largest[j], 0.2 - 1e-9, 1 + 1e-9); // the largest of five that sum to one
        }
    }
}
