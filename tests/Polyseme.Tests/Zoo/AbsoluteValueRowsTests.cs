using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo;

public sealed class AbsoluteValueRowsTests
{
    [Fact]
    public void Targets_are_absolute_values_and_the_point_comes_as_often_as_asked()
    {
        const int Width = 6,
            Rows = 4000;
        var rows = new AbsoluteValueRows(Width, 0.5, 0.2, 1);
        float[] inputs = new float[Rows * Width],
            targets = new float[Rows * Width];
        rows.Fill(3, inputs, targets);
        Assert.Equal(inputs.Select(Math.Abs), targets);
        Assert.Contains(inputs, value => value < 0);
        float[] point = [1, 1, 1, 0, 0, 0];
        var times = inputs.Chunk(Width).Count(row => row.SequenceEqual(point));
        // Five standard errors of a share of .2.
        Assert.InRange(times / (double)Rows, 0.2 - 0.032, 0.2 + 0.032);
    }

    [Fact]
    public void The_batch_of_a_step_is_always_the_same_and_none_is_another()
    {
        var rows = new AbsoluteValueRows(5, 0.5, 0, 1);
        float[] Batch(long step)
        {
            float[] inputs = new float[50],
                targets = new float[50];
            rows.Fill(step, inputs, targets);
            return inputs;
        }
        Assert.Equal(Batch(7), Batch(7));
        Assert.NotEqual(Batch(7), Batch(8));
    }

    [Fact]
    public void Too_few_numbers_for_the_point_are_refused() => Assert.Throws<ArgumentException>(() => new AbsoluteValueRows(2, 0.5, 0, 1));
}
