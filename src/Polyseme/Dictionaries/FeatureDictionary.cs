using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries;

/// <summary>
/// A dictionary of directions in activation space: what turns a row of activations into latents, and latents into a row again. Learned by gradient
/// descent (<see cref="SparseAutoencoder"/>) or by a classical method.
/// </summary>
public abstract record FeatureDictionary
{
    /// <summary>Width of the rows it reads.</summary>
    public abstract int DIn { get; }

    /// <summary>Width of the rows it gives back: <see cref="DIn"/>, unless it is a transcoder.</summary>
    public abstract int DOut { get; }

    /// <summary>Number of latents.</summary>
    public abstract int NLatents { get; }

    /// <summary>What one unit of each latent adds to the reconstruction; not normalised. Shape: <c>[n_latents, d_out]</c>.</summary>
    public abstract FloatMatrix Directions { get; }

    /// <summary><see cref="Directions"/> in double precision, copied. Shape: <c>[n_latents, d_out]</c>.</summary>
    public Matrix DirectionsInDouble() => new(NLatents, DOut, Array.ConvertAll(Directions.Data, value => (double)value));

    /// <summary>Latents of rows.</summary>
    /// <param name="rows">float32, on any device. Shape: <c>[n_rows, d_in]</c>.</param>
    /// <returns>Shape: <c>[n_rows, n_latents]</c>, on the same device.</returns>
    public abstract torch.Tensor Encode(torch.Tensor rows);

    /// <summary>Rows from latents alone.</summary>
    /// <param name="latents">Shape: <c>[n_rows, n_latents]</c>.</param>
    /// <returns>Shape: <c>[n_rows, d_out]</c>.</returns>
    public abstract torch.Tensor Decode(torch.Tensor latents);

    /// <summary>Rows as the dictionary sees them: through the latents, and past them where it has such a path. Shape: <c>[n_rows, d_out]</c>.</summary>
    public virtual torch.Tensor Reconstruct(torch.Tensor rows) => Decode(Encode(rows));

    /// <summary>Throws unless <paramref name="rows"/> is <c>[n_rows, width]</c>.</summary>
    private protected static void CheckWidth(torch.Tensor rows, int width, string name)
    {
        if (rows.dim() != 2 || rows.shape[1] != width)
            throw new ArgumentException($"{name} has shape [{string.Join(", ", rows.shape)}], but must be [n_rows, {width}]", name);
    }
}
