using System.Runtime.CompilerServices;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Checks a density of a configuration where it is set.</summary>
internal static class AllowedDensity
{
    /// <summary>A probability of being active that the generator of inputs can hold.</summary>
    public static double Of(double value, [CallerMemberName] string name = "") =>
        Allowed.Between(value, ToyInputs.Fresh.LowestDensity, 1, name);
}
