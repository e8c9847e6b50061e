using System.Runtime.CompilerServices;

namespace Polyseme;

/// <summary>Checks a value of a configuration where it is set.</summary>
internal static class Allowed
{
    public static int Between(int value, int low, int high, [CallerMemberName] string name = "") =>
        value >= low && value <= high ? value : throw Refuse($"{name} is {value}; it ranges from {low} to {high}", name);

    public static double Between(double value, double low, double high, [CallerMemberName] string name = "") =>
        value >= low && value <= high ? value : throw Refuse($"{name} is {value}; it ranges from {low} to {high}", name);

    public static double Above(double value, double low, [CallerMemberName] string name = "") =>
        value > low ? value : throw Refuse($"{name} is {value}; it lies above {low}", name);

    public static string OneOf(string value, string[] choices, [CallerMemberName] string name = "") =>
        choices.Contains(value) ? value : throw Refuse($"{name} is '{value}'; it is one of {string.Join(", ", choices)}", name);

    private static ArgumentException Refuse(string message, string name) => new(message, name);
}
