using Polyseme.Numerics;

namespace Polyseme.Tests.Numerics;

public sealed class AssignmentTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 4)]
    [InlineData(3, 6)]
    [InlineData(6, 3)]
    [InlineData(6, 6)]
    public void The_total_is_that_of_the_best_of_all_matchings(int rows, int columns)
    {
        for (ulong seed = 0; seed < 30; seed++)
        {
            var random = new RandomStream(seed, "assignment");
            // Few levels in every third: ties must do no harm.
            var score = random.NormalMatrix(rows, columns);
            if (seed % 3 == 0)
                Array.ForEach(Enumerable.Range(0, score.Data.Length).ToArray(), i => score.Data[i] = Math.Round(score.Data[i]));
            var found = Assignment.Maximise(score);
            var used = found.Where(column => column >= 0).ToArray();
            Assert.Equal(Math.Min(rows, columns), used.Length);
            Assert.Equal(used.Length, used.Distinct().Count());
            Assert.Equal(Best(score, 0, 0), found.Select((column, row) => column < 0 ? 0 : score[row, column]).Sum(), 1e-9);
        }
    }

    [Fact]
    public void A_greedy_choice_would_be_wrong_here() =>
        // Greedy takes 10 and is left with 0; the best total is 9 + 9.
        Assert.Equal([1, 0], Assignment.Maximise(Matrix.FromRows([10, 9], [9, 0])));

    [Fact]
    public void A_score_that_is_no_number_is_refused() =>
        Assert.Throws<ArgumentException>(() => Assignment.Maximise(Matrix.FromRows([1, double.NaN])));

    // Every matching that uses as many pairs as there can be.
    private static double Best(Matrix score, int row, int used)
    {
        if (row == score.Rows)
            return System.Numerics.BitOperations.PopCount((uint)used) == Math.Min(score.Rows, score.Columns) ? 0 : double.NegativeInfinity;
        var best = score.Rows > score.Columns ? Best(score, row + 1, used) : double.NegativeInfinity;
        for (var column = 0; column < score.Columns; column++)
        {
            if ((used & (1 << column)) == 0)
                best = Math.Max(best, score[row, column] + Best(score, row + 1, used | (1 << column)));
        }
        return best;
    }
}
