using Polyseme.Dictionaries;
using TorchSharp;

namespace Polyseme.Tests.Dictionaries.Formats;

/// <summary>The golden files, and what the dictionaries in them make of rows.</summary>
internal static class GoldenDictionary
{
    public static string Plain(string name) => At("plain", name);

    public static string Torch(string name) => At("torch", name);

    public static float[] Encode(SparseAutoencoder dictionary, params float[] rows)
    {
        using var scope = torch.NewDisposeScope();
        return dictionary.Encode(torch.tensor(rows).reshape(-1, dictionary.DIn)).data<float>().ToArray();
    }

    public static float[] Reconstruct(SparseAutoencoder dictionary, params float[] rows)
    {
        using var scope = torch.NewDisposeScope();
        return dictionary.Reconstruct(torch.tensor(rows).reshape(-1, dictionary.DIn)).data<float>().ToArray();
    }

    public static void Equal(float[] expected, float[] found, float tolerance = 1e-6f)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - found[i]) <= tolerance, $"entry {i}: expected {expected[i]}, found {found[i]}");
    }

    /// <summary>A copy of a golden directory that a test may damage.</summary>
    public static string Copy(string golden, TemporaryFolder files)
    {
        var copy = files.File(Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(golden))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }

    private static string At(params string[] parts) =>
        Repository.File(Path.Combine(["tests", "Polyseme.Tests", "Dictionaries", "Formats", "Golden", .. parts]));
}
