namespace Polyseme.Zoo.Training;

/// <summary>Which kernel takes a model: by its shape and inputs alone, never by a clock, so that the choice is the same on every machine.</summary>
internal static class ToyPaths
{
    /// <summary>From so many features on a tile of errors fills the first-level cache.</summary>
    private const int LeastOfMany = 256;

    /// <summary>The largest G and M that the Gram path is meant for, features.</summary>
    private const int MostFeatures = 1024;

    /// <summary>Whether the whole model fits the registers.</summary>
    public static bool UsesFewFeatures(ToyShape shape, ToyBatch batch) =>
        batch.IsTiled && shape.Features <= ToyBatch.FewFeatures && !shape.HiddenRelu && shape.HiddenPenalty == 0;

    /// <summary>Whether the model has so many features for its hidden units that errors are better never stored.</summary>
    public static bool UsesNarrow(ToyShape shape, ToyBatch batch) =>
        shape.Features >= LeastOfMany && shape.Hidden <= 4 && !shape.HiddenRelu && shape.HiddenPenalty == 0 && !batch.IsDense;

    /// <summary>Whether fewer operations go through G = W·Wᵀ than through the hidden layer.</summary>
    /// <remarks>The factors estimate what an operation costs on each path relative to the other; they are not calibrated.</remarks>
    public static bool UsesGram(ToyShape shape, ToyBatch batch)
    {
        if (shape.HiddenRelu || shape.HiddenPenalty > 0 || batch.IsDense || shape.Features > MostFeatures)
            return false;
        double n = shape.Features,
            m = shape.Hidden,
            size = batch.Size;
        var gram = (3 * size * n * batch.MeanActive) + (2 * n * n * m) + (n * n);
        var direct = 3 * size * n * m;
        return gram < direct;
    }
}
