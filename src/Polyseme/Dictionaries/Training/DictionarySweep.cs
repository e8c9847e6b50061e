namespace Polyseme.Dictionaries.Training;

/// <summary>One dictionary of a sweep.</summary>
/// <param name="Name">The settings that are its own: <c>k-16_seed-0</c>; fit to name a folder.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Config">How it is trained.</param>
public sealed record SweptDictionary(string Name, DictionaryKind Kind, DictionaryConfig Config);

/// <summary>Every combination of some settings' values: dictionaries that train in one pass over the data.</summary>
public static class DictionarySweep
{
    /// <summary>More dictionaries than anyone means to train at once.</summary>
    public const int Most = 1000;

    /// <summary>The combinations, the last list varying fastest.</summary>
    /// <param name="kind">The name of their kind.</param>
    /// <param name="settings">What they have in common.</param>
    /// <param name="swept">Each setting that varies, with its values.</param>
    /// <exception cref="ArgumentException">A setting is given twice or without values, is refused, or the batch sizes differ.</exception>
    public static IReadOnlyList<SweptDictionary> Of(
        string kind,
        IReadOnlyList<KeyValuePair<string, string>> settings,
        IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> swept
    )
    {
        var named = settings.Select(setting => Plain(setting.Key)).ToHashSet();
        foreach (var (key, values) in swept)
        {
            if (!named.Add(Plain(key)))
                throw new ArgumentException($"{key} is given twice");
            if (values.Count == 0 || values.Any(string.IsNullOrWhiteSpace))
                throw new ArgumentException($"{key} is swept over no value, or an empty one");
            if (values.Distinct().Count() < values.Count)
                throw new ArgumentException($"{key} is swept over one value twice: {string.Join(",", values)}");
        }
        if (swept.Aggregate(1L, (count, list) => Math.Min(count * list.Value.Count, int.MaxValue)) is var size and > Most)
            throw new ArgumentException($"the sweep has {size} dictionaries, but at most {Most} train at once");
        IEnumerable<IReadOnlyList<KeyValuePair<string, string>>> combinations =
        [
            [],
        ];
        foreach (var (key, values) in swept)
            combinations = combinations.SelectMany(chosen =>
                values.Select(value => (IReadOnlyList<KeyValuePair<string, string>>)[.. chosen, KeyValuePair.Create(key, value)])
            );
        var dictionaries = combinations.Select(chosen => Configured(kind, settings, chosen)).ToList();
        if (dictionaries.Select(one => one.Config.Batch).Distinct().Count() > 1)
            throw new ArgumentException(
                $"dictionaries that train in one pass have one batch size, but these have {string.Join(", ", dictionaries.Select(one => one.Config.Batch).Distinct())}"
            );
        if (dictionaries.Select(one => one.Name).Distinct().Count() < dictionaries.Count)
            throw new ArgumentException("two dictionaries of the sweep have one name");
        return dictionaries;
    }

    private static SweptDictionary Configured(
        string kind,
        IReadOnlyList<KeyValuePair<string, string>> settings,
        IReadOnlyList<KeyValuePair<string, string>> chosen
    )
    {
        var name = string.Join('_', chosen.Select(setting => $"{Plain(setting.Key).Replace('_', '-')}-{Safe(setting.Value)}"));
        try
        {
            var (made, config) = DictionaryKinds.With(kind, [.. settings, .. chosen]);
            return new SweptDictionary(name, made, config);
        }
        catch (ArgumentException e) when (chosen.Count > 0)
        {
            throw new ArgumentException($"{string.Join(", ", chosen.Select(setting => $"{setting.Key}={setting.Value}"))}: {e.Message}", e);
        }
    }

    private static string Plain(string key) => key.Replace('-', '_');

    private static string Safe(string value) =>
        string.Concat(value.Trim().Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '+' ? c : '-'));
}
