using Polyseme.Numerics;

namespace Polyseme.Tests.Numerics;

public sealed class LogisticRegressionTests
{
    [Fact]
    public void The_gradient_of_the_stated_loss_is_zero_at_the_fit()
    {
        var random = new RandomStream(1, "logistic");
        var x = random.NormalMatrix(200, 3);
        var labels = Enumerable.Range(0, 200).Select(i => (2 * x[i, 0]) - x[i, 1] + random.NextNormal() > 1).ToArray();
        var fit = LogisticRegression.Fit(x, labels);
        Assert.True(fit.Converged);
        var positives = labels.Count(label => label);
        for (var j = 0; j <= 3; j++)
        {
            // d/dw of the balanced mean loss and ½·n^(−½)·Σ(sd·w)².
            double Column(int i) => j == 3 ? 1 : x[i, j];
            var gradient = Enumerable
                .Range(0, 200)
                .Sum(i =>
                    Column(i)
                    * ((1 / (1 + Math.Exp(-fit.Score(x.Row(i))))) - (labels[i] ? 1 : 0))
                    * 0.5
                    / (labels[i] ? positives : 200 - positives)
                );
            if (j < 3)
            {
                var column = x.Column(j);
                var mean = column.Average();
                gradient += column.Average(value => (value - mean) * (value - mean)) * fit.Weights[j] / Math.Sqrt(200);
            }
            Assert.Equal(0, gradient, 1e-6);
        }
    }

    [Fact]
    public void Classes_of_unequal_size_do_not_move_the_boundary()
    {
        // 10 at +1, 190 at −1: the boundary is halfway, not where the many pull it.
        var labels = Enumerable.Range(0, 200).Select(i => i < 10).ToArray();
        var x = new Matrix(200, 1, [.. labels.Select(label => label ? 1.0 : -1.0)]);
        var fit = LogisticRegression.Fit(x, labels);
        Assert.Equal(0, fit.Intercept / fit.Weights[0], 0.35);
        Assert.True(fit.Score([1]) > 0 && fit.Score([-1]) < 0);
    }

    [Fact]
    public void A_constant_column_gets_no_weight_and_one_class_is_refused()
    {
        var x = Matrix.FromRows([1, 5], [2, 5], [3, 5], [4, 5]);
        Assert.Equal(0, LogisticRegression.Fit(x, [false, false, true, true]).Weights[1]);
        Assert.Throws<ArgumentException>(() => LogisticRegression.Fit(x, [true, true, true, true]));
    }
}
