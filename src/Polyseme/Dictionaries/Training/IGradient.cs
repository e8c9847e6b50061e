namespace Polyseme.Dictionaries.Training;

/// <summary>Finds the gradient of a dictionary's loss and writes it to its weights.</summary>
internal interface IGradient
{
    /// <summary>The gradient at the weights as they are, in place of what was there. The outcome is good until the next.</summary>
    GradientOutcome Of(LossInput input);
}
