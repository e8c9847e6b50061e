using Polyseme.Activations;

namespace Polyseme.Dictionaries.Training;

/// <summary>Where a training's rows come from: the batch of a step is a function of the step alone, so that a training goes on anywhere.</summary>
public abstract class RowStream
{
    /// <summary>Width of a row.</summary>
    public abstract int DIn { get; }

    /// <summary>Width of what is to be reconstructed.</summary>
    public abstract int DOut { get; }

    /// <summary>Whether something other than the row itself is to be reconstructed: a transcoder is trained.</summary>
    public virtual bool HasTargets => false;

    /// <summary>What it is, for a checkpoint: two streams of one identity give the same rows.</summary>
    public abstract string Identity { get; }

    /// <summary>The identity of rows on disk: their hash, and after a blank that of the targets.</summary>
    /// <param name="source">The rows.</param>
    /// <param name="targets">What a transcoder is to give for each row; <c>null</c> = the row.</param>
    /// <param name="cancellation">Stops the hashing.</param>
    /// <exception cref="InputException">A file cannot be read, or is not the one that a store's index names.</exception>
    public static string IdentityOf(ActivationSource source, ActivationSource? targets, CancellationToken cancellation) =>
        targets is null
            ? source.ComputeSha256(cancellation)
            : $"{source.ComputeSha256(cancellation)} {targets.ComputeSha256(cancellation)}";

    /// <summary>Writes the batch of a step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="inputs">Shape: <c>[batch, d_in]</c>.</param>
    /// <param name="targets">Shape: <c>[batch, d_out]</c>; empty where the rows themselves are to be reconstructed.</param>
    public abstract void Fill(long step, Span<float> inputs, Span<float> targets);
}
