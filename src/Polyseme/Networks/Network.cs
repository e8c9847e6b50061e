using Polyseme.Numerics;

namespace Polyseme.Networks;

/// <summary>A place in a network where activations can be read and replaced.</summary>
/// <param name="Name">For instance <c>hook_hidden</c>; transformers use TransformerLens' names.</param>
/// <param name="Width">Number of neurons there.</param>
public sealed record Hook(string Name, int Width);

/// <summary>What one forward pass produced; n_rows is n_samples · <see cref="Network.RowsPerInput"/>.</summary>
/// <param name="Output">Shape: <c>[n_rows, output_width]</c>.</param>
/// <param name="Recorded">The activations at every hook asked for. Shape each: <c>[n_rows, hook.Width]</c>.</param>
public sealed record NetworkTrace(Matrix Output, IReadOnlyDictionary<string, Matrix> Recorded);

/// <summary>A network that can be run, read at named hooks, and intervened in: zoo networks and loaded ones alike.</summary>
public abstract class Network
{
    /// <summary>Width of an input row.</summary>
    public abstract int InputWidth { get; }

    /// <summary>Rows that activations and outputs have for one row of inputs: 1, or the positions of a context.</summary>
    public virtual int RowsPerInput => 1;

    /// <summary>The hooks, in the order of the computation.</summary>
    public abstract IReadOnlyList<Hook> Hooks { get; }

    /// <summary>Every weight by name, as rows and columns (a vector is one row). What a run folder saves.</summary>
    public abstract IReadOnlyDictionary<string, Matrix> Weights { get; }

    /// <summary>Runs the network forward.</summary>
    /// <param name="inputs">Shape: <c>[n_samples, InputWidth]</c>.</param>
    /// <param name="record">Hooks to record.</param>
    /// <param name="interventions">Replaces the activations at a hook; gets and returns <c>[n_rows, hook.Width]</c>. What is recorded is what flows on.</param>
    /// <exception cref="ArgumentException">An unknown hook, or inputs of another width.</exception>
    public NetworkTrace Run(
        Matrix inputs,
        IReadOnlyCollection<string>? record = null,
        IReadOnlyDictionary<string, Func<Matrix, Matrix>>? interventions = null
    )
    {
        if (inputs.Columns != InputWidth)
            throw new ArgumentException($"inputs are {inputs.Columns} wide, but the network takes {InputWidth}", nameof(inputs));
        foreach (var name in (record ?? []).Concat(interventions?.Keys ?? []))
        {
            if (!Hooks.Any(hook => hook.Name == name))
                throw new ArgumentException(
                    $"no hook '{name}'; this network has {string.Join(", ", Hooks.Select(hook => hook.Name))}",
                    nameof(record)
                );
        }
        var recorded = new Dictionary<string, Matrix>();
        var output = Forward(
            inputs,
            [.. record ?? [], .. interventions?.Keys ?? []],
            (name, activations) =>
            {
                if (interventions is not null && interventions.TryGetValue(name, out var intervene))
                    activations = intervene(activations);
                if (record is not null && record.Contains(name))
                    recorded[name] = activations;
                return activations;
            }
        );
        return new NetworkTrace(output, recorded);
    }

    /// <summary>The computation. It hands the activations of each hook to <paramref name="at"/> and goes on with what comes back.</summary>
    protected abstract Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at);

    /// <summary>The same, told which hooks anyone looks at: a network for which handing activations over costs something can leave the others out.</summary>
    protected virtual Matrix Forward(Matrix inputs, IReadOnlyCollection<string> touched, Func<string, Matrix, Matrix> at) =>
        Forward(inputs, at);
}
