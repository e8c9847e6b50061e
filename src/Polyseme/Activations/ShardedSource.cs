namespace Polyseme.Activations;

/// <summary>Activations in several files of one directory, one after the other.</summary>
internal sealed class ShardedSource : ActivationSource
{
    private readonly IReadOnlyList<ArraySource> _shards;
    private readonly long[] _starts; // first row of each shard, and one past the last row

    private ShardedSource(string path, IReadOnlyList<ArraySource> shards, long[] starts, IReadOnlyList<(string, string?)> files)
        : base(path, starts[^1], shards[0].NNeurons, shards[0].DType, Concatenate(shards, starts[^1])) =>
        (_shards, _starts, Files) = (shards, starts, files);

    internal override IReadOnlyList<(string Name, string? Sha256)> Files { get; }

    /// <summary>Joins shards, which must agree in width and type.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="shards">At least one, in order.</param>
    /// <param name="files">What the directory's hash covers.</param>
    public static ShardedSource Join(string path, IReadOnlyList<ArraySource> shards, IReadOnlyList<(string, string?)> files)
    {
        var starts = new long[shards.Count + 1];
        for (var i = 0; i < shards.Count; i++)
        {
            if (shards[i].NNeurons != shards[0].NNeurons || shards[i].DType != shards[0].DType)
                throw new InputException(
                    shards[i].Path,
                    "does not fit the first shard",
                    $"{shards[i].DType.Name()} with {shards[i].NNeurons} columns",
                    $"{shards[0].DType.Name()} with {shards[0].NNeurons} columns as in {System.IO.Path.GetFileName(shards[0].Path)}"
                );
            starts[i + 1] = starts[i] + shards[i].NSamples;
        }
        if (starts[^1] > Array.MaxLength)
            throw new InputException(path, "has too many rows", $"{starts[^1]}", $"at most {Array.MaxLength}");
        return new ShardedSource(path, shards, starts, files);
    }

    internal override RowReader OpenRows() => new Reader(this);

    private static RowIdentities Concatenate(IReadOnlyList<ArraySource> shards, long rows)
    {
        long[]? Of(Func<RowIdentities, long[]?> pick)
        {
            if (shards.Any(shard => pick(shard.Rows) is null))
                return null;
            var all = new long[rows];
            var at = 0;
            foreach (var shard in shards)
            {
                var part = pick(shard.Rows)!;
                part.CopyTo(all, at);
                at += part.Length;
            }
            return all;
        }
        return new RowIdentities
        {
            Item = Of(rows => rows.Item),
            Document = Of(rows => rows.Document),
            Position = Of(rows => rows.Position),
            TokenId = Of(rows => rows.TokenId),
        };
    }

    private sealed class Reader(ShardedSource source) : RowReader
    {
        // Fewer than a process may have open; of more shards, only the one that is read stays open.
        private const int MostOpen = 256;
        private readonly RowReader?[] _readers = new RowReader?[source._shards.Count];
        private int _shard;

        public override bool AnyOrder { get; } = source._shards.All(OpensAnyOrder);

        public override bool CheapRows => source._shards.All(shard => shard.CheapRows);

        public override void Read(long firstRow, Span<float> destination)
        {
            while (destination.Length > 0)
            {
                var shard = _shard;
                while (source._starts[shard] > firstRow)
                    shard--;
                while (source._starts[shard + 1] <= firstRow)
                    shard++;
                if (shard != _shard && _readers.Length > MostOpen)
                    Close(_shard);
                _shard = shard;
                var reader = _readers[shard] ??= source._shards[shard].OpenRows();
                var rows = (int)Math.Min(destination.Length / source.NNeurons, source._starts[shard + 1] - firstRow);
                reader.Read(firstRow - source._starts[shard], destination[..(rows * source.NNeurons)]);
                destination = destination[(rows * source.NNeurons)..];
                firstRow += rows;
            }
        }

        public override void Dispose()
        {
            for (var shard = 0; shard < _readers.Length; shard++)
                Close(shard);
        }

        private static bool OpensAnyOrder(ArraySource shard)
        {
            using var reader = shard.OpenRows();
            return reader.AnyOrder;
        }

        private void Close(int shard)
        {
            _readers[shard]?.Dispose();
            _readers[shard] = null;
        }
    }
}
