using Polyseme.Activations;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Classical;

namespace Polyseme.Cli;

/// <summary>Dictionaries by the path that a user names.</summary>
internal static class DictionaryPath
{
    /// <summary>Reads the dictionary in a folder.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static FeatureDictionary Read(string path) =>
        ClassicalDictionaryFile.IsAt(path)
            ? ClassicalDictionaryFile.Read(path)
            : throw new InputException(
                path,
                "is not a dictionary",
                expected: $"a folder with {ClassicalDictionaryFile.ConfigName}",
                hint: "'polyseme dictionary fit' writes one"
            );
}
