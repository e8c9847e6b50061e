using System.Globalization;
using System.Reflection;

namespace Polyseme.Zoo;

/// <summary>Configurations, which are records, from <c>key=value</c> pairs laid over a default.</summary>
public static class ZooConfigs
{
    /// <summary>A copy of <paramref name="config"/> with the named properties replaced.</summary>
    /// <param name="config">What to start from.</param>
    /// <param name="settings">Property names in any of <c>max-steps</c>, <c>max_steps</c>, <c>maxSteps</c> and <c>MaxSteps</c>, with their values.</param>
    /// <exception cref="ArgumentException">An unknown key (names those that are known), a value that cannot be read, or one out of range.</exception>
    public static T With<T>(T config, IEnumerable<KeyValuePair<string, string>> settings)
        where T : class
    {
        var type = config.GetType();
        var properties = Settable(type);
        var changed = Copy(config);
        foreach (var (key, text) in settings)
        {
            var name = Plain(key);
            var property =
                properties.FirstOrDefault(candidate => Plain(candidate.Name) == name)
                ?? throw new ArgumentException($"there is no setting '{key}'; known: {string.Join(", ", Keys(config))}");
            try
            {
                property.SetValue(changed, Read(key, text, property.PropertyType));
            }
            catch (TargetInvocationException outer) when (outer.InnerException is ArgumentException refused)
            {
                // The parameter that refused is the key itself; naming it again would only be noise.
                var why = refused.Message.Replace($" (Parameter '{refused.ParamName}')", "", StringComparison.Ordinal);
                throw new ArgumentException($"{key}={text}: {why}", refused);
            }
        }
        return changed;
    }

    /// <summary>The settings of a configuration, in kebab-case.</summary>
    public static IReadOnlyList<string> Keys(object config) => [.. Settable(config.GetType()).Select(property => Kebab(property.Name))];

    /// <summary>The settings of a configuration with their values, in kebab-case.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Values(object config) =>
        [
            .. Settable(config.GetType())
                .Select(property =>
                    KeyValuePair.Create(
                        Kebab(property.Name),
                        Convert.ToString(property.GetValue(config), CultureInfo.InvariantCulture) ?? ""
                    )
                ),
        ];

    private static PropertyInfo[] Settable(Type type) =>
        [
            .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.SetMethod is { IsPublic: true })
                // A record's own settings before the inherited ones would hide the seed at the end; by name is easier to read.
                .OrderBy(property => property.Name, StringComparer.Ordinal),
        ];

    private static object Read(string key, string text, Type type)
    {
        var invariant = CultureInfo.InvariantCulture;
        ArgumentException Unreadable(string expected) => new($"{key}={text}: '{text}' is not {expected}");
        if (type == typeof(int))
            return int.TryParse(text, NumberStyles.AllowLeadingSign, invariant, out var value) ? value : throw Unreadable("an integer");
        if (type == typeof(ulong))
            return ulong.TryParse(text, NumberStyles.None, invariant, out var value)
                ? value
                : throw Unreadable("an integer from 0 to 2^64 − 1");
        if (type == typeof(double))
            return double.TryParse(text, NumberStyles.Float, invariant, out var value) && double.IsFinite(value)
                ? value
                : throw Unreadable("a number");
        if (type == typeof(bool))
            return bool.TryParse(text, out var value) ? value : throw Unreadable("true or false");
        if (type.IsEnum)
            return Enum.GetNames(type).FirstOrDefault(name => Plain(name) == Plain(text)) is { } name
                ? Enum.Parse(type, name)
                : throw Unreadable($"one of {string.Join(", ", Enum.GetNames(type).Select(Kebab))}");
        if (type == typeof(string))
            return text;
        throw new NotSupportedException($"settings of type {type.Name} cannot be read from text");
    }

    /// <summary>Records are copied by their own clone method, which <c>with</c> calls and reflection must find.</summary>
    private static T Copy<T>(T config)
        where T : class => (T)config.GetType().GetMethod("<Clone>$", BindingFlags.Public | BindingFlags.Instance)!.Invoke(config, null)!;

    private static string Plain(string key) =>
        key.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();

    private static string Kebab(string name) =>
        string.Concat(
            name.Select((c, i) => i > 0 && char.IsUpper(c) ? "-" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString())
        );
}
