using Polyseme.Numerics;

namespace Polyseme.Activations;

/// <summary>Texts as token ids: what a language model reads.</summary>
public static class TextFile
{
    /// <summary>The tensor's name, where a file holds several.</summary>
    public const string TensorName = "tokens";

    /// <summary>Reads texts of one length.</summary>
    /// <param name="path">A <c>.safetensors</c>, <c>.npy</c> or <c>.npz</c> file with a 2-D tensor of integers: <c>tokens</c>, else the only one.</param>
    /// <returns>Token ids, a text a row. Shape: <c>[n_texts, n_tokens]</c>.</returns>
    /// <exception cref="InputException">It cannot be read as texts.</exception>
    public static Matrix Read(string path)
    {
        var file = ArrayFiles.Open(path);
        var candidates = file.Arrays.Where(array => array.Shape.Length == 2).ToArray();
        var array =
            candidates.FirstOrDefault(candidate => candidate.Name == TensorName)
            ?? (
                candidates.Length == 1
                    ? candidates[0]
                    : throw new InputException(
                        path,
                        "holds no texts",
                        $"{candidates.Length} 2-D tensors, none called '{TensorName}'",
                        $"token ids '{TensorName}' [n_texts, n_tokens]"
                    )
            );
        var tokens = file.ReadIntegers(array);
        var (rows, columns) = (checked((int)array.Shape[0]), checked((int)array.Shape[1]));
        if (tokens.Length == 0)
            throw new InputException(path, "holds no tokens", $"[{rows}, {columns}]", "at least one text");
        return new Matrix(rows, columns, Array.ConvertAll(tokens, token => (double)token));
    }
}
