using Polyseme.Numerics;

namespace Polyseme.Tests.Numerics;

public sealed class FloatMatrixTests
{
    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(31, 65)]
    [InlineData(64, 33)]
    public void A_transpose_turns_rows_into_columns(int rows, int columns)
    {
        var matrix = new FloatMatrix(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(i => (float)i)]);
        var transpose = matrix.Transpose();
        Assert.Equal((columns, rows), (transpose.Rows, transpose.Columns));
        for (var i = 0; i < rows; i++)
        for (var j = 0; j < columns; j++)
            Assert.Equal(matrix[i, j], transpose[j, i]);
        Assert.Equal(matrix.Data, transpose.Transpose().Data);
    }

    [Fact]
    public void An_array_of_another_length_is_refused() => Assert.Throws<ArgumentException>(() => new FloatMatrix(2, 3, new float[5]));
}
