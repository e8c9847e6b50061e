namespace Polyseme.Zoo.Training;

/// <summary>Every model of a population diverged: its loss stopped being a number. The command line exits with 1.</summary>
public sealed class DivergenceException(string message) : Exception(message);
