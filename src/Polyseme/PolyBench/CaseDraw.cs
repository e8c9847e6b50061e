using System.Text.Json.Nodes;
using Polyseme.Numerics;

namespace Polyseme.PolyBench;

/// <summary>Draws the details of a case and remembers those that are named.</summary>
/// <param name="seed">The benchmark's seed.</param>
/// <param name="name">The case's stream.</param>
/// <param name="index">The case's number: labels take turns by it, so that every family has every kind of them.</param>
public sealed class CaseDraw(ulong seed, string name, int index)
{
    /// <summary>The stream of the case.</summary>
    public RandomStream Random { get; } = new(seed, $"polybench/{name}");

    /// <summary>What was drawn by name.</summary>
    public JsonObject Settings { get; } = [];

    /// <summary>The case's number.</summary>
    public int Index { get; } = index;

    /// <summary>Which labels the case comes with: by turns.</summary>
    public CaseConcepts Labels { get; } = (CaseConcepts)(index % 3);

    /// <summary>Uniform in the logarithm.</summary>
    public double LogUniform(string setting, double low, double high) =>
        Note(setting, low * Math.Exp(Random.NextDouble() * Math.Log(high / low)));

    /// <summary>Uniform.</summary>
    public double Uniform(string setting, double low, double high) => Note(setting, low + (Random.NextDouble() * (high - low)));

    /// <summary>A whole number, uniform in the logarithm, both ends included.</summary>
    public int Integer(string setting, int low, int high)
    {
        var value = Math.Clamp((int)Math.Floor(low * Math.Exp(Random.NextDouble() * Math.Log((high + 1.0) / low))), low, high);
        Settings[setting] = value;
        return value;
    }

    /// <summary>One of several, each as likely.</summary>
    public T OneOf<T>(string setting, params IReadOnlyList<T> choices)
        where T : notnull
    {
        var choice = choices[Random.NextInt(choices.Count)];
        Settings[setting] = $"{choice}";
        return choice;
    }

    /// <summary>Whether something with this probability happens.</summary>
    public bool Happens(string setting, double probability)
    {
        var happens = Random.NextDouble() < probability;
        Settings[setting] = happens;
        return happens;
    }

    private double Note(string setting, double value)
    {
        Settings[setting] = double.Round(value, 6);
        return value;
    }
}
