namespace Polyseme.Activations;

/// <summary>What each row of an activation set is a row of. Each array has one entry per row, or is <c>null</c> when the file had none.</summary>
public sealed record RowIdentities
{
    /// <summary>No identities at all.</summary>
    public static RowIdentities None { get; } = new();

    /// <summary>The same underlying item has the same number. Shape: <c>[n_samples]</c>.</summary>
    public long[]? Item { get; init; }

    /// <summary>The document (or sentence) a row comes from. Shape: <c>[n_samples]</c>.</summary>
    public long[]? Document { get; init; }

    /// <summary>The position in its document. Shape: <c>[n_samples]</c>.</summary>
    public long[]? Position { get; init; }

    /// <summary>The token at that position. Shape: <c>[n_samples]</c>.</summary>
    public long[]? TokenId { get; init; }

    /// <summary>The identities of the named rows, in the order given.</summary>
    public RowIdentities Select(IReadOnlyList<int> rows) =>
        new()
        {
            Item = Pick(Item, rows),
            Document = Pick(Document, rows),
            Position = Pick(Position, rows),
            TokenId = Pick(TokenId, rows),
        };

    /// <summary>These identities, and those of <paramref name="other"/> where there are none: a concept file may bring what the activations lack.</summary>
    /// <param name="other">Identities of the same rows.</param>
    public RowIdentities Or(RowIdentities other) =>
        new()
        {
            Item = Item ?? other.Item,
            Document = Document ?? other.Document,
            Position = Position ?? other.Position,
            TokenId = TokenId ?? other.TokenId,
        };

    /// <summary>The array called <paramref name="name"/> (<c>item</c>, <c>document</c>, <c>position</c>, <c>token_id</c>; <c>sentence</c> is <c>document</c>), or <c>null</c>.</summary>
    public long[]? ByName(string name) =>
        name switch
        {
            "item" => Item,
            "document" or "sentence" => Document,
            "position" => Position,
            "token_id" => TokenId,
            _ => throw new ArgumentException(
                $"rows have no identity called '{name}'; known: item, document, position, token_id",
                nameof(name)
            ),
        };

    private static long[]? Pick(long[]? values, IReadOnlyList<int> rows)
    {
        if (values is null)
            return null;
        var picked = new long[rows.Count];
        for (var i = 0; i < rows.Count; i++)
            picked[i] = values[rows[i]];
        return picked;
    }
}
