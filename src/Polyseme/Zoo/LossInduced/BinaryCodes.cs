using System.Numerics;

namespace Polyseme.Zoo.LossInduced;

/// <summary>One binary neuron for k exclusive classes, equally frequent: the best loss of every assignment of classes to firing or not.</summary>
/// <remarks>Anthropic's Circuits Updates on loss-induced polysemanticity; the closed form, (s ln s + (k − s) ln(k − s))/k, is derived.</remarks>
public static class BinaryCodes
{
    /// <summary>The best cross-entropy of a softmax read-out of the neuron, nats.</summary>
    /// <param name="firing">Bit i: whether the neuron fires for class i.</param>
    /// <param name="classes">k.</param>
    public static double CrossEntropy(uint firing, int classes)
    {
        var loss = 0.0;
        for (var i = 0; i < classes; i++)
            loss -= Math.Log(Posterior(firing, classes, i, i)) / classes;
        return loss;
    }

    /// <summary>The best mean squared error of a read-out to one-hot targets, summed over outputs.</summary>
    /// <param name="firing">Bit i: whether the neuron fires for class i.</param>
    /// <param name="classes">k.</param>
    public static double SquaredError(uint firing, int classes)
    {
        var loss = 0.0;
        for (var i = 0; i < classes; i++)
        {
            for (var output = 0; output < classes; output++)
                loss += Math.Pow(Posterior(firing, classes, i, output) - (output == i ? 1 : 0), 2) / classes;
        }
        return loss;
    }

    /// <summary>(s ln s + (k − s) ln(k − s))/k, nats.</summary>
    public static double ClosedForm(int classes, int firing)
    {
        static double Part(int count) => count == 0 ? 0 : count * Math.Log(count);
        return (Part(firing) + Part(classes - firing)) / classes;
    }

    /// <summary>The best assignments of all 2^k.</summary>
    /// <param name="classes">k. In 2 … 20.</param>
    /// <param name="loss">The loss of an assignment.</param>
    /// <returns>The lowest loss, the numbers of firing classes that reach it within 1e-12, and how many assignments do.</returns>
    public static (double Loss, IReadOnlyList<int> Firing, int Count) Search(int classes, Func<uint, int, double> loss)
    {
        if (classes is < 2 or > 20)
            throw new ArgumentException($"classes is {classes}; it ranges from 2 to 20", nameof(classes));
        var losses = new double[1 << classes];
        for (var firing = 0u; firing < losses.Length; firing++)
            losses[firing] = loss(firing, classes);
        var best = losses.Min();
        var reached = Enumerable.Range(0, losses.Length).Where(firing => losses[firing] <= best + 1e-12).ToArray();
        return (best, [.. reached.Select(firing => BitOperations.PopCount((uint)firing)).Distinct().Order()], reached.Length);
    }

    /// <summary>P(class = output | what the neuron does for class i): both losses are least when the read-out gives it.</summary>
    private static double Posterior(uint firing, int classes, int i, int output)
    {
        var fires = (firing >> i) & 1;
        if (((firing >> output) & 1) != fires)
            return 0;
        var together = 0;
        for (var other = 0; other < classes; other++)
            together += ((firing >> other) & 1) == fires ? 1 : 0;
        return 1.0 / together;
    }
}
