using Polyseme.Numerics;
using Polyseme.Zoo.Attention;

namespace Polyseme.Tests.Zoo.Attention;

public sealed class TokenClassesTests
{
    private static readonly TokenClassCorpus s_corpus = new() { Classes = 10 };

    [Fact]
    public void A_text_is_of_two_classes_and_rows_know_those_seen_so_far()
    {
        var texts = s_corpus.Texts(200, new RandomStream(1, "texts"));
        var seen = s_corpus.Seen(texts);
        Assert.Equal((200 * 9, 10), (seen.Rows, seen.Columns));
        for (var text = 0; text < texts.Rows; text++)
        {
            var classes = texts.Row(text).ToArray().Select(token => (int)token / TokenClassCorpus.PerClass).ToArray();
            Assert.InRange(classes.Distinct().Count(), 1, 2);
            for (var kept = 0; kept < 9; kept++)
            {
                var expected = classes.Take(TokenClassCorpus.FirstKept + 1 + kept).Distinct().Order();
                Assert.Equal(expected, Enumerable.Range(0, 10).Where(k => seen[(text * 9) + kept, k] == 1));
            }
        }
    }

    [Fact]
    public void Where_their_number_varies_texts_have_more_classes_and_fewer()
    {
        var texts = (s_corpus with { ClassesOfText = null }).Texts(500, new RandomStream(1, "texts"));
        var counts = Enumerable
            .Range(0, texts.Rows)
            .Select(row => texts.Row(row).ToArray().Select(token => (int)token / TokenClassCorpus.PerClass).Distinct().Count())
            .ToList();
        Assert.Contains(1, counts);
        Assert.Contains(2, counts);
        Assert.Contains(3, counts);
    }

    [Fact]
    public void Best_correlations_find_the_column_that_is_the_class_up_to_scale_and_sign()
    {
        var random = new RandomStream(2, "columns");
        var classes = new Matrix(400, 2);
        var columns = new Matrix(400, 3);
        for (var row = 0; row < 400; row++)
        {
            classes[row, 0] = random.NextInt(2);
            classes[row, 1] = random.NextInt(2);
            columns[row, 0] = 7 - (3 * classes[row, 0]);
            columns[row, 1] = random.NextDouble();
            columns[row, 2] = 5;
        }
        var best = TokenClassReadout.BestCorrelations(columns, classes);
        Assert.Equal(1, best[0], 1e-12);
        Assert.InRange(best[1], 0, 0.25);
    }

    [Fact]
    public void Training_puts_more_classes_than_neurons_into_directions_and_rows_know_where_they_are_from()
    {
        var member = new TokenClasses();
        var config = new TokenClassesConfig
        {
            Classes = 16,
            Neurons = 12,
            ModelWidth = 12,
            Steps = 1_500,
            Samples = 1_000,
        };
        var run = member.Run(config, null, TestContext.Current.CancellationToken);
        Assert.All(run.Acceptances, acceptance => Assert.True(acceptance.Passed, $"{acceptance.Claim}: {acceptance.Value}"));
        Assert.Equal((1_000, 12), (run.Activations.NSamples, run.Activations.NNeurons));
        Assert.Equal(16, run.Features.Concepts.Count);
        Assert.Equal(Cause.Superposition, run.Truth.Cause);
        var rows = run.Activations.Rows;
        // The token of a row is of a class that was seen.
        for (var row = 0; row < 1_000; row++)
        {
            Assert.InRange(rows.Position![row], TokenClassCorpus.FirstKept, TokenClassCorpus.Context - 1);
            Assert.Equal(1, run.Features.Concepts[(int)rows.TokenId![row] / TokenClassCorpus.PerClass].Values[row]);
        }
    }
}
