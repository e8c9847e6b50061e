using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Zoo;

/// <summary>Read-outs that are fitted on some rows and judged on others: what linear probes, sparse probes and a small network get out of a layer.</summary>
internal static class Readouts
{
    /// <summary>Predictions of ridge regression with an intercept. Shape: <c>[test.Rows, targets.Columns]</c>.</summary>
    /// <param name="learn">Shape: <c>[n_learn, d]</c>.</param>
    /// <param name="targets">Shape: <c>[n_learn, n_targets]</c>.</param>
    /// <param name="test">Shape: <c>[n_test, d]</c>.</param>
    /// <param name="ridge">λ per row.</param>
    public static Matrix Linear(Matrix learn, Matrix targets, Matrix test, double ridge = 1e-6)
    {
        var (means, targetMeans) = (Means(learn), Means(targets));
        var weights = LinearAlgebra.Ridge(Less(learn, means), Less(targets, targetMeans), ridge * learn.Rows);
        var predicted = LinearAlgebra.Multiply(Less(test, means), weights);
        for (var row = 0; row < predicted.Rows; row++)
        for (var column = 0; column < predicted.Columns; column++)
            predicted[row, column] += targetMeans[column];
        return predicted;
    }

    /// <summary>The same from the k neurons whose mean differs most between the two classes of each target.</summary>
    /// <remarks>Gurnee et al. 2023, "Finding neurons in a haystack", on selecting by the mean difference.</remarks>
    public static Matrix Sparse(Matrix learn, Matrix targets, Matrix test, int k)
    {
        var predicted = new Matrix(test.Rows, targets.Columns);
        for (var target = 0; target < targets.Columns; target++)
        {
            var label = targets.Column(target);
            var mean = label.Average();
            var difference = new double[learn.Columns];
            for (var row = 0; row < learn.Rows; row++)
            for (var j = 0; j < learn.Columns; j++)
                difference[j] += (label[row] - mean) * learn[row, j];
            var chosen = Enumerable.Range(0, learn.Columns).OrderByDescending(j => Math.Abs(difference[j])).Take(k).ToArray();
            var scores = Linear(learn.SelectColumns(chosen), targets.SelectColumns([target]), test.SelectColumns(chosen));
            for (var row = 0; row < test.Rows; row++)
                predicted[row, target] = scores[row, 0];
        }
        return predicted;
    }

    /// <summary>Logits of a network with one hidden ReLU layer, trained with Adam on the whole set at every step. Shape per input: <c>[rows, n_targets]</c>.</summary>
    /// <param name="learn">Shape: <c>[n_learn, d]</c>.</param>
    /// <param name="targets">0 or 1. Shape: <c>[n_learn, n_targets]</c>.</param>
    /// <param name="tests">Rows to be judged.</param>
    /// <param name="hidden">Hidden units, shared by all targets.</param>
    /// <param name="steps">Steps; the learning rate falls along a quarter cosine.</param>
    /// <param name="random">Draws the start.</param>
    /// <param name="cancellation">Checked once a step.</param>
    /// <param name="highestRate">The learning rate it falls from: a wide layer learns many targets by heart at 3e-3 and not at 1e-2.</param>
    public static Matrix[] Mlp(
        Matrix learn,
        Matrix targets,
        IReadOnlyList<Matrix> tests,
        int hidden,
        int steps,
        RandomStream random,
        CancellationToken cancellation,
        double highestRate = 1e-2
    )
    {
        using var scope = torch.NewDisposeScope();
        torch.Tensor Single(Matrix matrix) => LinearAlgebra.ToTensor(matrix).to(torch.float32);
        torch.Tensor Start(int rows, int columns)
        {
            var start = random.NormalMatrix(rows, columns);
            return Single(start).mul_(Math.Sqrt(2.0 / rows)).clone();
        }
        var (x, y) = (Single(learn), Single(targets));
        torch.Tensor[] weights =
        [
            Start(learn.Columns, hidden),
            torch.zeros(hidden),
            Start(hidden, targets.Columns),
            torch.zeros(targets.Columns),
        ];
        var moments = weights.Select(weight => (First: torch.zeros_like(weight), Second: torch.zeros_like(weight))).ToArray();
        for (var step = 0; step < steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = torch.NewDisposeScope();
            var active = torch.addmm(weights[1], x, weights[0], 1, 1).relu_();
            var error = torch.addmm(weights[3], active, weights[2], 1, 1).sigmoid_().sub_(y).div_(learn.Rows);
            var back = torch.mm(error, weights[2].t()).mul_(active.sign());
            torch.Tensor[] gradients = [torch.mm(x.t(), back), back.sum(dim: 0), torch.mm(active.t(), error), error.sum(dim: 0)];
            var rate = highestRate * Math.Cos(Math.PI / 2 * step / steps);
            var scale = rate * Math.Sqrt(1 - Math.Pow(0.999, step + 1)) / (1 - Math.Pow(0.9, step + 1));
            for (var i = 0; i < weights.Length; i++)
            {
                moments[i].First.mul_(0.9).add_(gradients[i], alpha: 0.1);
                moments[i].Second.mul_(0.999).add_(gradients[i].square(), alpha: 0.001);
                weights[i].sub_(moments[i].First.div(moments[i].Second.sqrt().add_(1e-8)).mul_(scale));
            }
        }
        return
        [
            .. tests.Select(test =>
                LinearAlgebra.ToMatrix(
                    torch
                        .addmm(weights[3], torch.addmm(weights[1], Single(test), weights[0], 1, 1).relu(), weights[2], 1, 1)
                        .to(torch.float64)
                )
            ),
        ];
    }

    /// <summary>R² of every column, 1 − residual/total about the mean of the target. A constant target gives 0.</summary>
    public static double[] R2(Matrix target, Matrix predicted)
    {
        var means = Means(target);
        var values = new double[target.Columns];
        for (var column = 0; column < values.Length; column++)
        {
            double residual = 0,
                total = 0;
            for (var row = 0; row < target.Rows; row++)
            {
                residual += Math.Pow(target[row, column] - predicted[row, column], 2);
                total += Math.Pow(target[row, column] - means[column], 2);
            }
            values[column] = total > 0 ? 1 - (residual / total) : 0;
        }
        return values;
    }

    /// <summary>Mean AUROC over the columns.</summary>
    public static double MeanAuroc(Matrix scores, Matrix labels) =>
        Enumerable.Range(0, labels.Columns).Average(column => Auroc.Of(scores.Column(column), labels.Column(column)) ?? 0.5);

    /// <summary>Participation ratio (Σλ)²/Σλ² of the covariance: how many dimensions the rows fill evenly.</summary>
    public static double ParticipationRatio(Matrix rows)
    {
        var centred = Less(rows, Means(rows));
        var covariance = LinearAlgebra.TransposeMultiply(centred, centred);
        double trace = 0,
            squares = 0;
        for (var i = 0; i < covariance.Rows; i++)
            trace += covariance[i, i];
        foreach (var value in covariance.Data)
            squares += value * value;
        return trace * trace / squares;
    }

    /// <summary>Column means. Shape: <c>[d]</c>.</summary>
    public static double[] Means(Matrix rows)
    {
        var means = new double[rows.Columns];
        for (var row = 0; row < rows.Rows; row++)
        for (var column = 0; column < means.Length; column++)
            means[column] += rows[row, column] / rows.Rows;
        return means;
    }

    /// <summary>The rows less a vector.</summary>
    public static Matrix Less(Matrix rows, double[] vector)
    {
        var shifted = rows.Copy();
        for (var row = 0; row < rows.Rows; row++)
        for (var column = 0; column < vector.Length; column++)
            shifted[row, column] -= vector[column];
        return shifted;
    }

    /// <summary>|Correlation| of every column of a with every column of b. Shape: <c>[a.Columns, b.Columns]</c>.</summary>
    public static Matrix AbsoluteCorrelations(Matrix a, Matrix b)
    {
        var (x, y) = (Unit(a), Unit(b));
        var product = LinearAlgebra.TransposeMultiply(x, y);
        for (var i = 0; i < product.Data.Length; i++)
            product.Data[i] = Math.Abs(product.Data[i]);
        return product;
    }

    /// <summary>Rows turned and scaled to mean 0 and identity covariance on their leading directions, which hold variance above a relative floor. Shape: <c>[n, rank]</c>.</summary>
    public static Matrix Whitened(Matrix rows, double floor = 1e-8)
    {
        var centred = Less(rows, Means(rows));
        var (values, vectors) = LinearAlgebra.SymmetricEigen(LinearAlgebra.TransposeMultiply(centred, centred));
        var kept = Enumerable.Range(0, values.Length).Where(i => values[i] > floor * values[0]).ToArray();
        var map = vectors.SelectColumns(kept);
        for (var i = 0; i < map.Rows; i++)
        for (var j = 0; j < kept.Length; j++)
            map[i, j] *= Math.Sqrt(rows.Rows / values[kept[j]]);
        return LinearAlgebra.Multiply(centred, map);
    }

    private static Matrix Unit(Matrix rows)
    {
        var centred = Less(rows, Means(rows));
        for (var column = 0; column < rows.Columns; column++)
        {
            var norm = Math.Sqrt(centred.Column(column).Sum(value => value * value));
            for (var row = 0; row < rows.Rows; row++)
                centred[row, column] = norm > 0 ? centred[row, column] / norm : 0;
        }
        return centred;
    }
}
