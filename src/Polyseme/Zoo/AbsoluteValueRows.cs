using System.Globalization;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>Sparse numbers and their absolute values for a transcoder to learn, with one point that comes again and again: x = (1, 1, 1, 0, …).</summary>
/// <remarks>Transformer Circuits, "A toy model of mechanistic (un)faithfulness", 2025.</remarks>
/// <param name="width">Numbers in a row, at least 3.</param>
/// <param name="density">The probability that a number is not 0; it is then uniform in [−1, 1].</param>
/// <param name="repeated">The share of rows that are the point.</param>
/// <param name="seed">Draws the rows.</param>
public sealed class AbsoluteValueRows(int width, double density, double repeated, ulong seed) : RowStream
{
    private readonly double _density = Allowed.Between(density, 0, 1);
    private readonly double _repeated = Allowed.Between(repeated, 0, 1);

    /// <summary>Numbers that are 1 in the point.</summary>
    public const int Ones = 3;

    /// <inheritdoc/>
    public override int DIn { get; } = Allowed.Between(width, Ones, 1 << 16);

    /// <inheritdoc/>
    public override int DOut => DIn;

    /// <inheritdoc/>
    public override bool HasTargets => true;

    /// <inheritdoc/>
    public override string Identity =>
        string.Create(CultureInfo.InvariantCulture, $"absolute values of {DIn} p {_density} repeated {_repeated} seed {seed}");

    /// <inheritdoc/>
    public override void Fill(long step, Span<float> inputs, Span<float> targets)
    {
        var random = new RandomStream(seed, $"absolute-value-rows/{step}");
        for (var start = 0; start < inputs.Length; start += DIn)
        {
            var row = inputs.Slice(start, DIn);
            row.Clear();
            if (random.NextDouble() < _repeated)
            {
                row[..Ones].Fill(1);
            }
            else
            {
                foreach (ref var value in row)
                    value = random.NextDouble() < _density ? (float)((2 * random.NextDouble()) - 1) : 0;
            }
        }
        for (var i = 0; i < inputs.Length; i++)
            targets[i] = Math.Abs(inputs[i]);
    }
}
