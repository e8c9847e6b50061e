using Polyseme.Activations;
using Polyseme.Verdicts;

namespace Polyseme.Reports;

/// <summary>A neuron to look at closely.</summary>
/// <param name="Index">Column of the activations; its verdict, budget and concepts are those of the diagnosis.</param>
/// <param name="Contexts">Where it fires most, strongest first. Empty where there are no tokens.</param>
public sealed record NeuronDetail(int Index, IReadOnlyList<TokenContext> Contexts)
{
    /// <summary>Tokens shown on each side of the one that the neuron fires on.</summary>
    private const int Reach = 5;

    /// <summary>
    /// The live neurons with the largest score, those marked polysemantic first, each with the places where it fires most. Where the judge
    /// measured no score, as in a layer whose components don't come back, those that respond to the most concepts.
    /// </summary>
    /// <param name="result">The diagnosis.</param>
    /// <param name="activations">The rows that were diagnosed.</param>
    /// <param name="tokens">Token text, row for row with the activations; <c>null</c> gives neurons without contexts.</param>
    /// <param name="neurons">How many neurons, at most.</param>
    /// <param name="contexts">How many places for each, at most; only places where the activation is positive, no two that overlap.</param>
    /// <exception cref="ArgumentException">There is not one token per row.</exception>
    public static IReadOnlyList<NeuronDetail> MostPolysemantic(
        DiagnosisResult result,
        ActivationSet activations,
        IReadOnlyList<string>? tokens,
        int neurons = 12,
        int contexts = 6
    )
    {
        if (tokens is not null && tokens.Count != activations.NSamples)
            throw new ArgumentException($"{tokens.Count} tokens, but {activations.NSamples} rows", nameof(tokens));
        return
        [
            .. result
                .Neurons.Where(neuron => neuron.Budget is not null && neuron.Index < activations.NNeurons)
                .OrderByDescending(neuron => neuron.Polysemantic == true)
                .ThenByDescending(neuron => neuron.Score ?? -1)
                .ThenByDescending(neuron => neuron.Concepts.Count)
                .ThenByDescending(neuron => neuron.Concepts.Sum(concept => concept.Auc))
                .ThenBy(neuron => neuron.Index)
                .Take(neurons)
                .Select(neuron => new NeuronDetail(
                    neuron.Index,
                    tokens is null ? [] : Strongest(neuron.Index, activations, tokens, contexts)
                )),
        ];
    }

    private static List<TokenContext> Strongest(int neuron, ActivationSet activations, IReadOnlyList<string> tokens, int contexts)
    {
        var values = new float[activations.NSamples];
        for (var row = 0; row < values.Length; row++)
            values[row] = activations.Values[((long)row * activations.NNeurons) + neuron];

        var chosen = new List<int>();
        foreach (
            var row in Enumerable
                .Range(0, values.Length)
                .Where(row => values[row] > 0)
                .OrderByDescending(row => values[row])
                .ThenBy(row => row)
        )
        {
            if (chosen.Count == contexts)
                break;
            if (chosen.TrueForAll(other => Math.Abs(other - row) > Reach))
                chosen.Add(row);
        }
        return chosen.ConvertAll(row => Around(row, values, tokens, activations.Rows.Document));
    }

    private static TokenContext Around(int row, float[] values, IReadOnlyList<string> tokens, long[]? documents)
    {
        bool Together(int other) => documents is null || documents[other] == documents[row];
        int first = row,
            last = row;
        while (first > 0 && row - first < Reach && Together(first - 1))
            first--;
        while (last < values.Length - 1 && last - row < Reach && Together(last + 1))
            last++;
        return new TokenContext(
            [.. Enumerable.Range(first, last - first + 1).Select(i => tokens[i])],
            [.. Enumerable.Range(first, last - first + 1).Select(i => (double)values[i])],
            row - first
        );
    }
}

/// <summary>A stretch of text around a token that a neuron fires on.</summary>
/// <param name="Tokens">The tokens, as the tokenizer cut them. Shape: <c>[n_tokens]</c>.</param>
/// <param name="Activations">The neuron's activation on each. Shape: <c>[n_tokens]</c>.</param>
/// <param name="Peak">Which token the stretch was chosen for, 0 … n_tokens − 1.</param>
public sealed record TokenContext(IReadOnlyList<string> Tokens, IReadOnlyList<double> Activations, int Peak);
