using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Attention;

/// <summary>What neurons and directions tell of the classes.</summary>
/// <param name="Neurons">d.</param>
/// <param name="NeuronMedian">Median over classes of the largest |correlation| of a neuron with the class.</param>
/// <param name="ClassesTold">Classes whose linear read-out has AUROC .95 or more on held-out texts.</param>
/// <param name="SumR2">Σ over classes of the held-out linear R², at most the number of neurons.</param>
internal sealed record TokenClassReadout(int Neurons, double NeuronMedian, int ClassesTold, double SumR2)
{
    /// <summary>Reads a network out: fitted on fresh texts, judged on as many others.</summary>
    public static TokenClassReadout Of(SmallTransformer network, TokenClassCorpus corpus, int texts, ulong seed)
    {
        var (learn, learnSeen) = TokenClasses.Rows(network, corpus, corpus.Texts(texts, new RandomStream(seed, "token-classes/learn")));
        var (test, seen) = TokenClasses.Rows(network, corpus, corpus.Texts(texts, new RandomStream(seed, "token-classes/judge")));
        var predicted = Readouts.Linear(learn, learnSeen, test);
        var told = 0;
        var explained = 0.0;
        for (var k = 0; k < seen.Columns; k++)
        {
            double[] label = seen.Column(k),
                score = predicted.Column(k);
            if (Auroc.Of(score, label) >= 0.95)
                told++;
            var mean = label.Average();
            explained += 1 - (label.Zip(score, (y, p) => (y - p) * (y - p)).Sum() / label.Sum(y => (y - mean) * (y - mean)));
        }
        return new TokenClassReadout(test.Columns, Median(BestCorrelations(test, seen)), told, explained);
    }

    /// <summary>For each class, the largest |correlation| that a column has with it. Shape: <c>[classes]</c>.</summary>
    /// <param name="columns">Neurons or latents. Shape: <c>[rows, n]</c>.</param>
    /// <param name="classes">0 or 1. Shape: <c>[rows, classes]</c>.</param>
    public static double[] BestCorrelations(Matrix columns, Matrix classes)
    {
        var (x, y) = (Standardised(columns), Standardised(classes));
        var products = LinearAlgebra.Multiply(y.Transpose(), x);
        return [.. Enumerable.Range(0, classes.Columns).Select(k => products.Row(k).ToArray().Max(Math.Abs))];
    }

    /// <summary>The middle value; of an even number, the higher of the two in the middle.</summary>
    public static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    /// <summary>Columns of mean 0 and norm 1; constant ones are 0.</summary>
    private static Matrix Standardised(Matrix matrix)
    {
        var standardised = matrix.Copy();
        for (var column = 0; column < matrix.Columns; column++)
        {
            var values = matrix.Column(column);
            var mean = values.Average();
            var norm = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)));
            for (var row = 0; row < matrix.Rows; row++)
                standardised[row, column] = norm > 0 ? (values[row] - mean) / norm : 0;
        }
        return standardised;
    }
}
