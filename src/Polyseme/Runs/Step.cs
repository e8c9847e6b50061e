namespace Polyseme.Runs;

/// <summary>How far a piece of work has come; what every <c>IProgress</c> in the library reports.</summary>
/// <param name="Stage">What is being done, as a person would name it.</param>
/// <param name="Done">Units done, 0 … <paramref name="Total"/>.</param>
/// <param name="Total">Units in this stage; 0 when unknown.</param>
/// <param name="Note">A value worth seeing on the way, for instance <c>"loss 0.0612"</c>.</param>
public readonly record struct Step(string Stage, long Done, long Total, string? Note = null);
