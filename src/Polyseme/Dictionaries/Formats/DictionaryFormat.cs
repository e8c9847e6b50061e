using Polyseme.Activations;

namespace Polyseme.Dictionaries.Formats;

/// <summary>A way to keep a dictionary in files: ours, or another tool's.</summary>
public abstract class DictionaryFormat
{
    private protected DictionaryFormat() { }

    /// <summary>Its name on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What it is, in a line.</summary>
    public abstract string Summary { get; }

    /// <summary>Whether dictionaries are read from it.</summary>
    public virtual bool IsRead => true;

    /// <summary>Why nothing is written in it, or <c>null</c> when dictionaries are.</summary>
    public virtual string? WhyNotWritten => null;

    /// <summary>Whether the path looks like one: by the names of its files, not by their content.</summary>
    internal abstract bool Recognises(string path);

    /// <summary>Reads a dictionary.</summary>
    /// <exception cref="InputException">What is there is not a dictionary of this format in every detail.</exception>
    public abstract SparseAutoencoder Read(string path);

    /// <summary>What the format cannot say about this dictionary, or <c>null</c> when it can say everything that matters to encode and decode.</summary>
    public virtual string? WhyNot(SparseAutoencoder dictionary) => WhyNotWritten;

    /// <summary>Writes a dictionary.</summary>
    /// <exception cref="ConversionException">The format cannot express it: <see cref="WhyNot"/>.</exception>
    /// <exception cref="IOException">The files cannot be written.</exception>
    public void Write(SparseAutoencoder dictionary, string path)
    {
        if (WhyNot(dictionary) is { } reason)
            throw new ConversionException($"{Name} cannot hold this dictionary: {reason}");
        WriteFiles(dictionary, path);
    }

    private protected virtual void WriteFiles(SparseAutoencoder dictionary, string path) =>
        throw new InvalidOperationException($"{Name} is not written");

    /// <summary>Makes a dictionary of parts that a file gave, whose remaining disagreements are the file's.</summary>
    private protected static SparseAutoencoder Assemble(string path, Func<SparseAutoencoder> make)
    {
        try
        {
            return make();
        }
        catch (ArgumentException e)
        {
            throw new InputException(path, "is not a dictionary that fits together", e.Message, inner: e);
        }
    }
}

/// <summary>A conversion was refused because the target cannot express the dictionary. The command line exits with 1.</summary>
/// <param name="message">Which format, what about the dictionary, and why.</param>
public sealed class ConversionException(string message) : Exception(message);

/// <summary>The formats there are.</summary>
public static class DictionaryFormats
{
    /// <summary>All of them, ours first.</summary>
    public static IReadOnlyList<DictionaryFormat> All { get; } =
    [
        new PolysemeFormat(),
        new SaeLensFormat(),
        // Before dictionary-learning, which takes any other .pt file for its own.
        new OpenAiFormat(),
        new DictionaryLearningFormat(),
        new SparsifyFormat(),
        new GemmaScopeFormat(),
        new NeuronpediaFormat(),
        new ReportOnlyFormat(
            "saedashboard",
            "SAEDashboard's batch-N.json: top activations and histograms of each latent",
            "its files show each latent's activations over text, which the dictionary alone does not know"
        ),
        new ReportOnlyFormat(
            "saebench",
            "SAEBench's result JSON: metrics of an evaluation",
            "its file holds the results of an evaluation, not the dictionary"
        ),
    ];

    /// <summary>The format of this name, or <c>null</c>.</summary>
    public static DictionaryFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);

    /// <summary>Finds out which format a path is in.</summary>
    /// <exception cref="InputException">None, as far as the names of the files say.</exception>
    public static DictionaryFormat Recognise(string path)
    {
        if (!Directory.Exists(path) && !File.Exists(path))
            throw new InputException(path, "does not exist", hint: "check the path");
        return All.FirstOrDefault(format => format.IsRead && format.Recognises(path))
            ?? throw new InputException(
                path,
                "is not a dictionary of a known format",
                Directory.Exists(path) ? "a directory without their files" : "a file of another kind",
                "a directory with dictionary.json, cfg.json or ae.pt; a .pt file; or params.npz",
                "say which with --from"
            );
    }
}

/// <summary>A format of other tools that holds results about a dictionary, not the dictionary.</summary>
internal sealed class ReportOnlyFormat(string name, string summary, string reason) : DictionaryFormat
{
    public override string Name => name;

    public override string Summary => summary;

    public override bool IsRead => false;

    public override string WhyNotWritten => reason;

    internal override bool Recognises(string path) => false;

    public override SparseAutoencoder Read(string path) => throw new InputException(path, $"cannot be a dictionary: {reason}");
}
