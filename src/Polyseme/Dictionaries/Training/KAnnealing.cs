namespace Polyseme.Dictionaries.Training;

/// <summary>k that falls linearly from a start to its end over the first steps of a training, and stays. A function of the step alone.</summary>
/// <remarks>
/// dictionary_learning's TopK and BatchTopK trainers, k_anneal_steps. There a step has the k that was worked out for the step before it, and the very first
/// one the k of the end; here each has its own.
/// </remarks>
internal static class KAnnealing
{
    /// <summary>Throws where the fall does not fit the training.</summary>
    /// <param name="k">k of the end.</param>
    /// <param name="steps">Steps of the fall; 0 = none.</param>
    /// <param name="start">k of the first step; 0 = d_in.</param>
    /// <param name="config">How the dictionary is trained.</param>
    public static void Check(double k, int steps, int start, DictionaryConfig config)
    {
        if (steps > config.Steps)
            throw new ArgumentException($"k falls over {steps} steps, but there are {config.Steps}", nameof(config));
        if (start > config.Latents)
            throw new ArgumentException($"k falls from {start}, but there are {config.Latents} latents", nameof(config));
        if (start > 0 && start < k)
            throw new ArgumentException($"k falls from {start} to {k}, which is more", nameof(config));
        if (start > 0 && steps == 0)
            throw new ArgumentException($"k falls from {start}, but over no steps: k_anneal_steps is missing", nameof(config));
    }

    /// <summary>k of a step.</summary>
    public static double At(double k, int steps, int start, LossInput input)
    {
        if (input.Step >= steps)
            return k;
        var first = start > 0 ? start : Math.Min((int)input.Inputs.shape[1], input.Config.Latents);
        return first <= k ? k : first + ((k - first) * input.Step / steps);
    }
}
