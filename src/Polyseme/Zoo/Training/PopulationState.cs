namespace Polyseme.Zoo.Training;

/// <summary>How far the training of a population has come.</summary>
/// <param name="Fingerprint">Which population: SHA-256 in hex over its jobs, see <see cref="PopulationFingerprint"/>.</param>
/// <param name="Models">One per job, in their order; <c>null</c> = not begun.</param>
public sealed record PopulationState(string Fingerprint, IReadOnlyList<ToyProgress?> Models);

/// <summary>A toy model between two steps of its training, or at its end. Training that goes on from here ends at the same bytes.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Model">The model after them, with its curve and its snapshots so far.</param>
/// <param name="Moments">Adam's moments; <c>null</c> when the model is finished or has diverged.</param>
public sealed record ToyProgress(int Step, ToyModel Model, ToyMoments? Moments);

/// <summary>Adam's moving averages of a toy model's gradient, not corrected for their start at zero.</summary>
/// <param name="First">Of the gradient.</param>
/// <param name="Second">Of its square.</param>
public sealed record ToyMoments(ToyParameters First, ToyParameters Second);
