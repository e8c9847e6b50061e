using TorchSharp;

namespace Polyseme.Numerics;

/// <summary>Sums over the rows of a tall matrix, a block that stays in the cache at a time, on all cores.</summary>
internal static class BlockSums
{
    /// <summary>Rows of a block.</summary>
    public const int BlockRows = 1 << 11;

    /// <summary>Sums that are made side by side, whatever the number of threads, and then added in order.</summary>
    private const int Parts = 8;

    /// <summary>Σ over blocks.</summary>
    /// <param name="rows">Rows in all.</param>
    /// <param name="term">A block's term in float64, told the block's first row and how many it has. Runs on several threads.</param>
    /// <returns>float64, of the terms' shape.</returns>
    public static torch.Tensor Over(long rows, Func<long, long, torch.Tensor> term)
    {
        var blocks = (rows + BlockRows - 1) / BlockRows;
        var parts = new torch.Tensor?[(int)Math.Min(Parts, blocks)];
        WorkerTeam.Shared.Run(
            parts.Length,
            (_, part) =>
            {
                using var scope = torch.NewDisposeScope();
                torch.Tensor? sum = null;
                for (var block = blocks * part / parts.Length; block < blocks * (part + 1) / parts.Length; block++)
                {
                    using var inside = torch.NewDisposeScope();
                    var found = term(block * BlockRows, Math.Min(BlockRows, rows - (block * BlockRows)));
                    if (sum is null)
                        sum = found.MoveToOuterDisposeScope();
                    else
                        sum.add_(found);
                }
                parts[part] = sum!.DetachFromDisposeScope();
            }
        );
        var total = torch.zeros_like(parts[0]!);
        foreach (var part in parts)
        {
            total.add_(part!);
            part!.Dispose();
        }
        return total;
    }

    /// <summary>Does something with each block, on all cores.</summary>
    /// <param name="rows">Rows in all.</param>
    /// <param name="work">Told the block's first row and how many it has.</param>
    public static void Each(long rows, Action<long, long> work) =>
        WorkerTeam.Shared.Run(
            (int)((rows + BlockRows - 1) / BlockRows),
            (_, block) =>
            {
                using var scope = torch.NewDisposeScope();
                work((long)block * BlockRows, Math.Min(BlockRows, rows - ((long)block * BlockRows)));
            }
        );
}
