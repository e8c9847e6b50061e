using Polyseme.Evidence;
using Polyseme.Verdicts;

namespace Polyseme.Tests.Verdicts;

public sealed class LayerJudgeTests
{
    [Fact]
    public void One_sparse_feature_a_neuron_is_monosemantic()
    {
        var verdict = MeasuredLayer.Monosemantic.Verdict;
        Assert.Equal("monosemantic", verdict.Verdict);
        Assert.Equal(8, verdict.NLine);
        Assert.All(MeasuredLayer.Monosemantic.Neurons, neuron => Assert.Equal("monosemantic", neuron.Verdict));
    }

    [Fact]
    public void The_same_features_behind_a_rotation_are_rotated()
    {
        var verdict = MeasuredLayer.Rotated.Verdict;
        Assert.Equal("rotated", verdict.Verdict);
        Assert.Equal(8, verdict.R);
        Assert.Equal(8, verdict.NLine);
    }

    [Fact]
    public void More_sparse_directions_than_dimensions_are_superposition()
    {
        var verdict = MeasuredLayer.Superposed.Verdict;
        Assert.Equal("superposition", verdict.Verdict);
        Assert.Equal(16, verdict.R);
        Assert.True(verdict.NLine > verdict.R, $"{verdict.NLine} lines in {verdict.R} dimensions");
    }

    [Fact]
    public void Concepts_that_only_a_nonlinear_probe_reads_are_nonlinear()
    {
        Assert.Equal("nonlinear", MeasuredLayer.Xor.Verdict.Verdict);
        Assert.All(ConceptJudge.Decide(MeasuredLayer.Xor.Measures), concept => Assert.Equal("nonlinear", concept.Verdict));
    }

    [Fact]
    public void Items_with_arbitrary_codes_are_compositional()
    {
        var verdict = MeasuredLayer.Items.Verdict;
        Assert.Equal("compositional", verdict.Verdict);
        Assert.DoesNotContain(Cause.Monosemantic, verdict.Set);
        Assert.DoesNotContain(MeasuredLayer.Items.Neurons, neuron => neuron.Verdict == "monosemantic");
    }

    [Theory]
    [InlineData("Gaussian")]
    [InlineData("flat Gaussian")]
    [InlineData("Student")]
    public void Elliptical_noise_has_no_cause(string noise)
    {
        var layer = noise switch
        {
            "Gaussian" => MeasuredLayer.Gaussian,
            "flat Gaussian" => MeasuredLayer.FlatGaussian,
            _ => MeasuredLayer.Student,
        };
        var verdict = layer.Verdict;
        Assert.Equal("undetermined", verdict.Verdict);
        Assert.Equal("no_signal", verdict.ReasonCode);
        Assert.Equal(Causes.All, verdict.Set);
        Assert.All(layer.Neurons, neuron => Assert.Equal("undetermined", neuron.Verdict));
    }

    [Fact]
    public void Coin_flips_are_not_represented() =>
        Assert.All(ConceptJudge.Decide(MeasuredLayer.Gaussian.Measures), concept => Assert.Equal("not_represented", concept.Verdict));

    [Fact]
    public void A_network_that_gives_back_only_what_it_saw_is_compositional_whatever_its_layer_looks_like()
    {
        var input = PlantedLayers.Given(PlantedLayers.Gaussian(20, 3)) with { Reconstruction = new Reconstruction(0.01, 1.2, 10) };
        var measures = LayerMeasures.Take(input, new DiagnosisConfig(), null, TestContext.Current.CancellationToken);
        Assert.Equal("compositional", LayerJudge.Decide(measures).Verdict);
    }

    [Fact]
    public void Every_posterior_is_a_distribution_and_every_set_holds_its_verdict()
    {
        foreach (
            var layer in new[]
            {
                MeasuredLayer.Monosemantic,
                MeasuredLayer.Rotated,
                MeasuredLayer.Superposed,
                MeasuredLayer.Xor,
                MeasuredLayer.Items,
                MeasuredLayer.Gaussian,
            }
        )
        {
            var verdict = layer.Verdict;
            Assert.Equal(1, verdict.Posterior.Values.Sum(), 1e-12);
            Assert.NotEmpty(verdict.Set);
            if (verdict.Verdict != "undetermined")
                Assert.Contains(verdict.Verdict, verdict.Set.Select(Causes.Id));
            foreach (var neuron in layer.Neurons)
            {
                Assert.Equal(1, neuron.Posterior.Values.Sum(), 1e-9);
                if (neuron.Budget is { } budget)
                    Assert.Equal(
                        1,
                        budget.Aligned + budget.Rotated + budget.Superposed + budget.Multidimensional + budget.Unstructured,
                        1e-9
                    );
            }
        }
    }
}
