using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Dictionaries.Classical;

/// <summary>
/// Dictionaries of classical methods in files: a directory with <c>classical.json</c> (schema <c>polyseme.classical-dictionary/1</c>) and
/// <c>dictionary.safetensors</c>. No other tool has a format for them.
/// </summary>
public static class ClassicalDictionaryFile
{
    /// <summary>The file that says what the weights mean.</summary>
    public const string ConfigName = "classical.json";

    /// <summary>The weights.</summary>
    public const string WeightsName = "dictionary.safetensors";

    private const string Schema = "polyseme.classical-dictionary/1";

    private sealed record Description(
        string Schema,
        string Kind,
        string? Code = null,
        int? K = null,
        double? Lambda = null,
        bool? NonNegative = null
    );

    /// <summary>Whether a directory holds one, by the names of its files.</summary>
    public static bool IsAt(string path) => File.Exists(Path.Combine(path, ConfigName));

    /// <summary>Writes a dictionary into a directory that exists.</summary>
    /// <exception cref="ArgumentException">It is neither linear nor sparsely coded.</exception>
    public static void Write(FeatureDictionary dictionary, string path)
    {
        var (description, tensors) = dictionary switch
        {
            LinearDictionary linear => (
                new Description(Schema, "linear"),
                new[] { Tensor("encoder", linear.Encoder), Tensor("decoder", linear.Decoder), SafetensorsTensor.Of("offset", linear.Mean) }
            ),
            SparseCodeDictionary coded => (
                Describe(coded.Method),
                [Tensor("decoder", coded.Directions), SafetensorsTensor.Of("offset", coded.Offset)]
            ),
            _ => throw new ArgumentException($"{dictionary.GetType().Name} is not a classical dictionary", nameof(dictionary)),
        };
        // The weights first: a directory is a dictionary once its description is there.
        SafetensorsFile.Write(Path.Combine(path, WeightsName), tensors);
        AtomicFile.WriteText(Path.Combine(path, ConfigName), Json.Write(description));
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InputException">It is not there, or not what was written.</exception>
    public static FeatureDictionary Read(string path)
    {
        var config = Path.Combine(path, ConfigName);
        try
        {
            var description = Json.Read<Description>(File.ReadAllText(config));
            if (description.Schema != Schema)
                throw new InputException(config, "has another schema", InputException.Quote(description.Schema), Schema);
            var file = SafetensorsFile.Open(Path.Combine(path, WeightsName));
            var decoder = Weights(file, "decoder");
            var offset = Weights(file, "offset").Data;
            return description.Kind switch
            {
                "linear" => new LinearDictionary(Weights(file, "encoder"), decoder, offset),
                "sparse_code" => new SparseCodeDictionary(decoder, offset, MethodOf(description, config)),
                var other => throw new InputException(config, "has an unknown kind", InputException.Quote(other), "linear or sparse_code"),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(config, "cannot be read", e.Message, inner: e);
        }
        catch (System.Text.Json.JsonException e)
        {
            throw new InputException(config, "is not the description of a dictionary", e.Message.ReplaceLineEndings(" "), inner: e);
        }
        catch (ArgumentException e)
        {
            throw new InputException(path, "is not a dictionary that fits together", e.Message, inner: e);
        }
    }

    private static Description Describe(CodeMethod method) =>
        method switch
        {
            CodeMethod.Omp omp => new Description(Schema, "sparse_code", "omp", K: omp.K),
            CodeMethod.MatchingPursuit pursuit => new Description(Schema, "sparse_code", "matching_pursuit", K: pursuit.K),
            CodeMethod.Lasso lasso => new Description(Schema, "sparse_code", "lasso", Lambda: lasso.Lambda, NonNegative: lasso.NonNegative),
            CodeMethod.NonNegativeLeastSquares => new Description(Schema, "sparse_code", "non_negative_least_squares"),
            CodeMethod.Nearest => new Description(Schema, "sparse_code", "nearest"),
            _ => throw new ArgumentException($"{method} is not a way to find codes", nameof(method)),
        };

    private static CodeMethod MethodOf(Description description, string config)
    {
        T Needed<T>(T? value, string name)
            where T : struct => value ?? throw new InputException(config, $"lacks '{name}'");
        return description.Code switch
        {
            "omp" => new CodeMethod.Omp(Needed(description.K, "k")),
            "matching_pursuit" => new CodeMethod.MatchingPursuit(Needed(description.K, "k")),
            "lasso" => new CodeMethod.Lasso(Needed(description.Lambda, "lambda"), description.NonNegative ?? false),
            "non_negative_least_squares" => new CodeMethod.NonNegativeLeastSquares(),
            "nearest" => new CodeMethod.Nearest(),
            var other => throw new InputException(
                config,
                "has an unknown code",
                other is null ? "nothing" : InputException.Quote(other),
                "omp, matching_pursuit, lasso, non_negative_least_squares or nearest"
            ),
        };
    }

    private static SafetensorsTensor Tensor(string name, FloatMatrix weights) =>
        SafetensorsTensor.Of(name, weights.Data, weights.Rows, weights.Columns);

    /// <summary>A matrix, or a vector as a matrix of one row; every value finite.</summary>
    private static FloatMatrix Weights(SafetensorsFile file, string name)
    {
        var array = file.Find(name) ?? throw new InputException(file.Path, $"holds no '{name}'");
        if (array.Type != DType.F32 || array.Shape.Length is < 1 or > 2)
            throw new InputException(
                file.Path,
                $"has '{name}' of the wrong kind",
                $"{array.Type} {array.ShapeText}",
                "F32 of one or two dimensions"
            );
        var values = file.ReadSingles(array);
        if (Array.FindIndex(values, value => !float.IsFinite(value)) is var bad && bad >= 0)
            throw new InputException(file.Path, $"has '{name}' that is not finite", $"{values[bad]} at {bad}");
        return array.Shape.Length == 1
            ? new FloatMatrix(1, values.Length, values)
            : new FloatMatrix((int)array.Shape[0], (int)array.Shape[1], values);
    }
}
