namespace Polyseme.Numerics;

/// <summary>One-to-one matching of rows to columns with the largest total: the assignment problem.</summary>
/// <remarks>
/// Kuhn 1955, "The Hungarian method for the assignment problem", as shortest augmenting paths with potentials (Jonker and Volgenant 1987):
/// O(r²·c) for r rows and c ≥ r columns.
/// </remarks>
public static class Assignment
{
    /// <summary>The matching whose scores sum to the most.</summary>
    /// <param name="score">Finite. Shape: <c>[rows, columns]</c>.</param>
    /// <returns>The column of each row, −1 for those that get none because columns are fewer. Every column is used at most once. Shape: <c>[rows]</c>.</returns>
    /// <exception cref="ArgumentException">A score is not finite.</exception>
    public static int[] Maximise(Matrix score)
    {
        if (Array.FindIndex(score.Data, value => !double.IsFinite(value)) is var bad && bad >= 0)
            throw new ArgumentException($"score {bad} is {score.Data[bad]}, but must be finite", nameof(score));
        if (score.Rows <= score.Columns)
            return Match(score);
        var columnOfRow = new int[score.Rows];
        Array.Fill(columnOfRow, -1);
        var rowOfColumn = Match(score.Transpose());
        for (var column = 0; column < rowOfColumn.Length; column++)
            columnOfRow[rowOfColumn[column]] = column;
        return columnOfRow;
    }

    // Costs are −score; index 0 of rows and columns is the source of the augmenting path.
    private static int[] Match(Matrix score)
    {
        var (n, m) = (score.Rows, score.Columns);
        var rowPotential = new double[n + 1];
        var columnPotential = new double[m + 1];
        var rowOf = new int[m + 1];
        var previous = new int[m + 1];
        var slack = new double[m + 1];
        var visited = new bool[m + 1];
        for (var start = 1; start <= n; start++)
        {
            rowOf[0] = start;
            Array.Fill(slack, double.PositiveInfinity);
            Array.Clear(visited);
            var column = 0;
            do
            {
                visited[column] = true;
                var row = rowOf[column];
                var scores = score.Row(row - 1);
                var (least, next) = (double.PositiveInfinity, 0);
                for (var j = 1; j <= m; j++)
                {
                    if (visited[j])
                        continue;
                    var reduced = -scores[j - 1] - rowPotential[row] - columnPotential[j];
                    if (reduced < slack[j])
                        (slack[j], previous[j]) = (reduced, column);
                    if (slack[j] < least)
                        (least, next) = (slack[j], j);
                }
                for (var j = 0; j <= m; j++)
                {
                    if (visited[j])
                    {
                        rowPotential[rowOf[j]] += least;
                        columnPotential[j] -= least;
                    }
                    else
                    {
                        slack[j] -= least;
                    }
                }
                column = next;
            } while (rowOf[column] != 0);
            while (column != 0)
            {
                rowOf[column] = rowOf[previous[column]];
                column = previous[column];
            }
        }
        var columnOf = new int[n];
        for (var j = 1; j <= m; j++)
        {
            if (rowOf[j] != 0)
                columnOf[rowOf[j] - 1] = j - 1;
        }
        return columnOf;
    }
}
