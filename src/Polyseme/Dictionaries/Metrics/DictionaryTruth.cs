using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>What is true of the activations that a dictionary is judged on.</summary>
/// <param name="Directions">True feature directions. Shape: <c>[n_features, d]</c>.</param>
/// <param name="Features">True values of the features, row for row with the activations; <c>null</c> where only directions are known. Shape: <c>[n_samples, n_features]</c>.</param>
public sealed record DictionaryTruth(Matrix Directions, FloatMatrix? Features)
{
    /// <summary>
    /// Reads a safetensors or npz file with <c>directions</c> [n_features, d] and, if known, <c>features</c> [n_samples, n_features]. The features are held
    /// in memory: they are as many as the rows that are judged.
    /// </summary>
    /// <exception cref="InputException">The file lacks directions, or a shape does not fit.</exception>
    public static DictionaryTruth Read(string path, long nSamples, int width)
    {
        var file = ArrayFiles.Open(path);
        var directions =
            TwoDimensional("directions") ?? throw new InputException(path, "holds no 'directions'", expected: "a tensor [n_features, d]");
        if (directions.Shape[1] != width || directions.Shape[0] < 1)
            throw new InputException(path, "has directions of another width", directions.ShapeText, $"[n_features, {width}]");
        var features = TwoDimensional("features");
        if (features is not null && (features.Shape[0] != nSamples || features.Shape[1] != directions.Shape[0]))
            throw new InputException(path, "has features that do not fit", features.ShapeText, $"[{nSamples}, {directions.Shape[0]}]");
        return new DictionaryTruth(
            new Matrix((int)directions.Shape[0], width, file.ReadDoubles(directions)),
            features is null ? null : new FloatMatrix((int)nSamples, (int)directions.Shape[0], file.ReadSingles(features))
        );

        ArrayInfo? TwoDimensional(string name)
        {
            var array = file.Find(name);
            if (array is null)
                return null;
            return array.Shape.Length == 2 && array.Type is not null
                ? array
                : throw new InputException(path, $"has '{name}' of the wrong shape", array.ShapeText, "two dimensions");
        }
    }

    /// <summary>Writes the file that <see cref="Read"/> reads.</summary>
    public void Write(string path) =>
        SafetensorsFile.Write(
            path,
            [
                SafetensorsTensor.Of("directions", Directions.Data, Directions.Rows, Directions.Columns),
                .. Features is { } features
                    ? new[] { SafetensorsTensor.Of("features", features.Data, features.Rows, features.Columns) }
                    : [],
            ]
        );
}
