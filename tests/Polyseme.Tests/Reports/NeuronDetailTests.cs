using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Reports;
using Polyseme.Verdicts;

namespace Polyseme.Tests.Reports;

public sealed class NeuronDetailTests
{
    private static readonly string[] Tokens = [.. Enumerable.Range(0, 40).Select(i => $"t{i}")];

    [Fact]
    public void Live_neurons_come_in_order_of_mark_and_score()
    {
        var details = NeuronDetail.MostPolysemantic(SampleEntries.Result(14), Activations(14), tokens: null, neurons: 4);
        // Scores are 1 − (index mod 5) / 10, even neurons are marked, 6 and 13 are dead; of equals the first comes first.
        Assert.Equal([0, 10, 2, 12], details.Select(detail => detail.Index));
        Assert.All(details, detail => Assert.Empty(detail.Contexts));
    }

    [Fact]
    public void Without_scores_those_that_respond_to_the_most_concepts_come_first_and_the_page_says_so()
    {
        var result = SampleEntries.Result(6);
        NeuronConcept[] concepts = [new("a", 0.8), new("b", 0.7)];
        result = result with
        {
            Neurons =
            [
                .. result.Neurons.Select(neuron =>
                    neuron with
                    {
                        Score = null,
                        Polysemantic = null,
                        Concepts = concepts[..(neuron.Index % 3)],
                    }
                ),
            ],
        };
        var details = NeuronDetail.MostPolysemantic(result, Activations(6), tokens: null, neurons: 4);
        Assert.Equal([2, 5, 1, 4], details.Select(detail => detail.Index));
        var page = HtmlReport.Write([SampleEntries.Bare() with { Result = result, Neurons = details }], "t");
        Assert.Contains("Neurons that respond to the most concepts (4)", page, StringComparison.Ordinal);
        Assert.DoesNotContain("The most polysemantic neurons", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Contexts_stand_around_the_largest_activations_and_stay_in_their_document()
    {
        var set = Activations(1, (20, 3f), (21, 2f), (33, 5f), (2, 1f)) with
        {
            Rows = new RowIdentities { Document = [.. Enumerable.Range(0, 40).Select(i => (long)(i / 35))] },
        };
        var contexts = NeuronDetail.MostPolysemantic(SampleEntries.Result(1), set, Tokens)[0].Contexts;
        Assert.Equal(["t33", "t20", "t2"], contexts.Select(context => context.Tokens[context.Peak]));
        Assert.Equal("t34", contexts[0].Tokens[^1]);
        Assert.Equal("t0", contexts[2].Tokens[0]);
        Assert.Equal(2, contexts[1].Activations[contexts[1].Peak + 1]);
    }

    [Fact]
    public void One_token_per_row_is_asked_for() =>
        Assert.Throws<ArgumentException>(() => NeuronDetail.MostPolysemantic(SampleEntries.Result(1), Activations(1), ["one"]));

    private static ActivationSet Activations(int neurons, params (int Row, float Value)[] firing)
    {
        var set = ActivationSet.FromMatrix(new Matrix(Tokens.Length, neurons));
        foreach (var (row, value) in firing)
            set.Values[row * neurons] = value;
        return set;
    }
}
