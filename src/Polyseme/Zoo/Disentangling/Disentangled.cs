using Polyseme.Activations;
using Polyseme.Dictionaries.Classical;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Codes;

namespace Polyseme.Zoo.Disentangling;

/// <summary>Configuration of <see cref="Disentangled"/>.</summary>
public sealed record DisentangledConfig : ZooConfig
{
    /// <summary>What the factors are, and how they lie in the neurons: <c>sparse</c>, <c>dense</c>, <c>unequal</c>, <c>gaussian</c> (rotated), or <c>superposition</c>.</summary>
    public string Data
    {
        get;
        init => field = Allowed.OneOf(value, ["sparse", "dense", "unequal", "gaussian", "superposition"]);
    } = "sparse";

    /// <summary>Neurons, d. As many rotated factors; four times as many in superposition. In 4 … 64.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 4, 64);
    } = 16;

    /// <summary>Factors, n.</summary>
    internal int Factors => Data == "superposition" ? 4 * Neurons : Neurons;
}

/// <summary>Factors behind a rotation, which classical disentangling undoes, beside features in superposition, which it does not.</summary>
public sealed class Disentangled : ZooMember
{
    private const string Program = "reference program";

    /// <inheritdoc/>
    public override string Name => "disentangled";

    /// <inheritdoc/>
    public override string Summary => "factors behind a rotation, which ICA undoes, and features in superposition, which it does not";

    /// <inheritdoc/>
    public override string Source =>
        "Comon 1994, Independent component analysis; Higgins et al. 2017, β-VAE; Locatello et al. 2019, Challenging common assumptions";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new DisentangledConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var disentangled = Of<DisentangledConfig>(config);
        var network = Layer(disentangled, cancellation);
        var factors = Sample(disentangled, disentangled.Samples, "disentangled/sample");
        var judged = Sample(disentangled, 8_000, "disentangled/acceptance");
        var random = new RandomStream(disentangled.Seed, "disentangled/ica");
        var found = Disentanglement.Of(Components(network.Hidden(judged), random, cancellation), judged);
        return new ZooRun
        {
            Member = Name,
            Config = disentangled,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth(disentangled, network.Weights["directions"]),
            Activations = ActivationSet.FromMatrix(network.Hidden(factors)),
            Features = new ConceptTable(
                factors.Rows,
                [
                    .. Enumerable
                        .Range(0, factors.Columns)
                        .Select(factor => new Concept($"factor_{factor}", ConceptKind.Numeric, factors.Column(factor))),
                ]
            ),
            Acceptances = [Recovery(disentangled, found)],
        };
    }

    /// <summary>What ICA must find, or miss.</summary>
    internal static Acceptance Recovery(DisentangledConfig config, Disentanglement found)
    {
        const string claim = "ICA: mean over factors of max |correlation| with a component";
        return config.Data switch
        {
            "gaussian" => new Acceptance(claim, found.MeanCorrelation, 0, 0.8, Program),
            "superposition" => new Acceptance(claim, found.MeanCorrelation, 0, 0.6, Program),
            _ => new Acceptance(claim, found.MeanCorrelation, 0.95, 1, Program),
        };
    }

    /// <summary>The layer: an orthogonal matrix, or n = 4d unit directions driven apart.</summary>
    internal static CodeLayer Layer(DisentangledConfig config, CancellationToken cancellation)
    {
        var directions =
            config.Data == "superposition"
                ? SphericalCode
                    .Optimise(
                        config.Neurons,
                        config.Factors,
                        lines: true,
                        1,
                        300,
                        config.Seed,
                        CodeBounds.Welch(config.Neurons, config.Factors),
                        cancellation
                    )
                    .Directions
                : Rotations.OrthonormalRows(config.Neurons, config.Neurons, new RandomStream(config.Seed, "disentangled/rotation"));
        return new CodeLayer(config.Factors, (input, code) => input.CopyTo(code), directions);
    }

    /// <summary>
    /// Factors: sparse with probability .1, in superposition .03, and then uniform in [.2, 1]; dense uniform in [−1, 1]; unequal the same times .9^i; Gaussian of unit variance.
    /// Shape: <c>[count, n]</c>.
    /// </summary>
    internal static Matrix Sample(DisentangledConfig config, int count, string name)
    {
        var stream = new RandomStream(config.Seed, name);
        var factors = new Matrix(count, config.Factors);
        for (var i = 0; i < factors.Data.Length; i++)
        {
            factors.Data[i] = config.Data switch
            {
                "dense" => (2 * stream.NextDouble()) - 1,
                "unequal" => Math.Pow(0.9, i % factors.Columns) * ((2 * stream.NextDouble()) - 1),
                "gaussian" => stream.NextNormal(),
                "superposition" => Sparse(0.03),
                _ => Sparse(0.1),
            };
        }
        return factors;

        double Sparse(double density) => stream.NextDouble() < density ? 0.2 + (0.8 * stream.NextDouble()) : 0;
    }

    /// <summary>Independent components of rows. Shape: <c>[n_rows, rank]</c>.</summary>
    internal static Matrix Components(Matrix rows, RandomStream random, CancellationToken cancellation)
    {
        var whitened = Readouts.Whitened(rows);
        return FastIca.Fit(whitened, new FastIcaConfig { MaxIterations = 400 }, random, cancellation).Components(whitened);
    }

    private static GroundTruth Truth(DisentangledConfig config, Matrix directions) =>
        config.Data == "superposition"
            ? new GroundTruth
            {
                Cause = Cause.Superposition,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>> { [AccessLevel.A] = ["superposition"] },
                Reason = "four times as many independent sparse features as neurons, each along a direction of its own, and they add",
                Directions = directions,
                NLine = config.Factors,
                NRay = config.Factors,
            }
            : new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = config.Data == "gaussian" ? ["undetermined"] : ["rotated"],
                    [AccessLevel.C] = ["rotated"],
                },
                Reason =
                    config.Data == "gaussian"
                        ? "as many independent factors as neurons behind a rotation; Gaussian ones look the same in every basis, so that activations alone cannot tell which"
                        : "as many independent factors as neurons behind a rotation, and none is Gaussian: one linear map finds them all",
                Directions = directions,
                NLine = config.Factors,
                NRay = config.Data == "sparse" ? config.Factors : 2 * config.Factors,
            };
}
