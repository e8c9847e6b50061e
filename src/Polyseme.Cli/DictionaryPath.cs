using Polyseme.Activations;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Classical;
using Polyseme.Dictionaries.Formats;

namespace Polyseme.Cli;

/// <summary>Dictionaries by the path that a user names.</summary>
internal static class DictionaryPath
{
    /// <summary>Reads a dictionary of any kind: of a classical method, ours, or of another tool whose files are recognised.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static FeatureDictionary Read(string path) =>
        ClassicalDictionaryFile.IsAt(path) ? ClassicalDictionaryFile.Read(path) : DictionaryFormats.Recognise(path).Read(path);
}
