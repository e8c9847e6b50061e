namespace Polyseme;

/// <summary>Training diverged: the loss, or that of every model that trains side by side, stopped being a number. The command line exits with 1.</summary>
public sealed class DivergenceException(string message) : Exception(message);
