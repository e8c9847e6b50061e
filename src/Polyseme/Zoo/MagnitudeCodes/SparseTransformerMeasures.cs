using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo.MagnitudeCodes;

/// <summary>What a penalty on the MLP's activations does to how it holds the planted classes.</summary>
/// <param name="Loss">Cross-entropy on fresh texts, nats.</param>
/// <param name="ActivePerRow">Neurons above zero on a row, on average (L0).</param>
/// <param name="Linear">AUROC of linear one-vs-rest probes of the next class, held-out texts, mean over classes.</param>
/// <param name="Mlp">The same of a probe with a hidden layer.</param>
/// <param name="AdditivityDefect">Of the last class and the one before it; <c>null</c> where neither moves a neuron.</param>
/// <param name="Live">Neurons above zero on at least one row in a hundred.</param>
/// <param name="LevelsPerNeuron">Levels of a live neuron's non-zero values, on average.</param>
/// <param name="ConceptsPerNeuron">Different next classes that hold at least half of some level, on average over live neurons.</param>
internal sealed record SparseTransformerMeasures(
    double Loss,
    double ActivePerRow,
    double Linear,
    double Mlp,
    double? AdditivityDefect,
    int Live,
    double LevelsPerNeuron,
    double ConceptsPerNeuron
)
{
    /// <summary>A value below this share of the neuron's largest counts as zero.</summary>
    private const double Zero = 1e-3;
    private const int MostLevels = 8;

    /// <summary>Measures a trained transformer on fresh texts.</summary>
    public static SparseTransformerMeasures Of(
        ClassPairCorpus corpus,
        SmallTransformer network,
        int texts,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var learned = corpus.Texts(texts, new RandomStream(seed, "class-pairs/probe"));
        var judged = corpus.Texts(texts, new RandomStream(seed, "class-pairs/judge"));
        Matrix Activations(Matrix of) =>
            ClassPairCorpus.Labelled(network.Run(ClassPairCorpus.Contexts(of), [ClassPairCorpus.Post]).Recorded[ClassPairCorpus.Post]);
        var (learn, test) = (Activations(learned), Activations(judged));
        var (last, before, next) = corpus.Concepts(judged);
        var targets = corpus.Concepts(learned).Next;
        var deviation = Math.Max(Math.Sqrt(learn.Data.Average(value => value * value)), 1e-9);
        Matrix Scaled(Matrix rows) => new(rows.Rows, rows.Columns, Array.ConvertAll(rows.Data, value => value / deviation));
        var mlp = Readouts.Mlp(Scaled(learn), targets, [Scaled(test)], 64, 300, new RandomStream(seed, "class-pairs/mlp"), cancellation)[0];
        var labels = Enumerable.Range(0, next.Rows).Select(row => next.Row(row).IndexOf(1.0)).ToArray();
        var active = 0;
        var neurons = new List<(int Levels, int Concepts)>();
        for (var neuron = 0; neuron < test.Columns; neuron++)
        {
            var values = test.Column(neuron);
            var floor = Zero * values.Max();
            var rows = Enumerable.Range(0, values.Length).Where(row => values[row] > floor).ToArray();
            active += rows.Length;
            if (rows.Length * 100 < values.Length)
                continue;
            var levels = MagnitudeLevels.Of([.. rows.Select(row => values[row])], MostLevels);
            neurons.Add((levels.Centres.Length, levels.ConceptsOf([.. rows.Select(row => labels[row])])));
        }
        return new SparseTransformerMeasures(
            CrossEntropy(network.Run(ClassPairCorpus.Contexts(judged)).Output, judged),
            active / (double)test.Rows,
            Readouts.MeanAuroc(Readouts.Linear(learn, targets, test), next),
            Readouts.MeanAuroc(mlp, next),
            Zoo.AdditivityDefect.OfFactors(PairMeans(test, last, before), ClassPairCorpus.Classes),
            neurons.Count,
            neurons.Count == 0 ? 0 : neurons.Average(one => one.Levels),
            neurons.Count == 0 ? 0 : neurons.Average(one => one.Concepts)
        );
    }

    private static Matrix PairMeans(Matrix rows, Matrix last, Matrix before)
    {
        const int classes = ClassPairCorpus.Classes;
        var (means, counts) = (new Matrix(classes * classes, rows.Columns), new int[classes * classes]);
        for (var row = 0; row < rows.Rows; row++)
        {
            var pair = (last.Row(row).IndexOf(1.0) * classes) + before.Row(row).IndexOf(1.0);
            counts[pair]++;
            for (var k = 0; k < rows.Columns; k++)
                means[pair, k] += rows[row, k];
        }
        for (var pair = 0; pair < counts.Length; pair++)
        for (var k = 0; k < rows.Columns; k++)
            means[pair, k] /= Math.Max(1, counts[pair]);
        return means;
    }

    private static double CrossEntropy(Matrix outputs, Matrix texts)
    {
        var (length, sum) = (texts.Columns - 1, 0.0);
        for (var row = 0; row < outputs.Rows; row++)
        {
            var logits = outputs.Row(row);
            var largest = System.Numerics.Tensors.TensorPrimitives.Max<double>(logits);
            var total = 0.0;
            foreach (var logit in logits)
                total += Math.Exp(logit - largest);
            sum += largest + Math.Log(total) - logits[(int)texts[row / length, (row % length) + 1]];
        }
        return sum / outputs.Rows;
    }
}
