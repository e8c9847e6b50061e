using Polyseme.Evidence;
using Polyseme.Numerics;

namespace Polyseme.Verdicts;

/// <summary>Lines counted by one way of looking.</summary>
/// <param name="How">The way, as a sentence's subject.</param>
/// <param name="NLine">Directions up to sign.</param>
/// <param name="NRay">Directions with sign.</param>
/// <param name="Agreement">Share of activation, or of rows, that the lines account for, in [0, 1].</param>
public sealed record CountedLines(string How, int NLine, int NRay, double Agreement);

/// <summary>The features that a layer's measures agree on, and how much of each neuron each of them explains.</summary>
public sealed record LayerFeatures
{
    /// <summary>A component carries signal when its negentropy exceeds what ICA makes of elliptical noise by this factor.</summary>
    private const double OverNoise = 1.2;

    /// <summary>Components that are less Gaussian than those of the null.</summary>
    public required int SignalComponents { get; init; }

    /// <summary>Mean stability of those, in [0, 1].</summary>
    public required double Stability { get; init; }

    /// <summary>Nearly all of them come back in both halves, or as well as independent ones would, and their energies do not move together.</summary>
    public required bool Complete { get; init; }

    /// <summary>At least half of them are one of a pair that moves on a circle.</summary>
    public required bool Circles { get; init; }

    /// <summary>At least half of them have two levels, both well filled.</summary>
    public required bool DenseBits { get; init; }

    /// <summary>Lines counted where components are not complete; <c>null</c> where no count is reliable.</summary>
    public required CountedLines? Lines { get; init; }

    /// <summary>Share of each live neuron's variance that each feature explains. Shape: <c>[n_live, n_features]</c>.</summary>
    public required Matrix Shares { get; init; }

    /// <summary>Whether activating each feature raises each neuron: −1, 0 (both ways) or 1. Shape: <c>[n_live, n_features]</c>.</summary>
    public required Matrix Direction { get; init; }

    /// <summary>Share of each live neuron's variance that the features explain together, in [0, 1]. Shape: <c>[n_live]</c>.</summary>
    public required double[] Explained { get; init; }

    /// <summary>Which features are one of a pair on a circle. Shape: <c>[n_features]</c>.</summary>
    public required bool[] OnCircle { get; init; }

    /// <summary>Whether two dictionaries agree, so that lines are features.</summary>
    public bool Agreed => Lines is not null;

    /// <summary>Share of live neurons of which one feature explains at least .8 of what features explain; <c>null</c> without reliable features.</summary>
    public double? AlignedNeurons
    {
        get
        {
            if (!Complete && !Agreed)
                return null;
            var live = Enumerable.Range(0, Explained.Length).Where(j => Explained[j] > 0.05).ToArray();
            return live.Length == 0 ? null : live.Count(j => Largest(j) >= NeuronAlignment.OneFeature * Explained[j]) / (double)live.Length;
        }
    }

    /// <summary>Share of live neurons in which features beside the largest explain at least a tenth of what features explain; 0 without independent components.</summary>
    public double MixingNeurons
    {
        get
        {
            var live = Enumerable.Range(0, Explained.Length).Where(j => Explained[j] > 0.05).ToArray();
            return !Complete || live.Length == 0 ? 0 : live.Count(j => Largest(j) <= 0.9 * Explained[j]) / (double)live.Length;
        }
    }

    /// <summary>The largest share of one feature in a live neuron.</summary>
    public double Largest(int neuron)
    {
        var largest = 0.0;
        foreach (var share in Shares.Row(neuron))
            largest = Math.Max(largest, share);
        return largest;
    }

    /// <summary>Finds the features of a measured layer.</summary>
    public static LayerFeatures Of(LayerMeasures measures)
    {
        var components = measures.Components ?? throw new ArgumentException("the layer was not measured", nameof(measures));
        var signal = SignalOf(components);
        var stability = signal.Length == 0 ? 0 : signal.Average(c => components.Stability[c]);
        var stable =
            signal.Length == 0 ? 0 : signal.Count(c => components.Stability[c] >= components.Config.Stable) / (double)signal.Length;
        var energy = components.EnergyNull;
        var independent = components.MedianEnergyCorrelation <= Math.Max(0.015, energy.Mean + (8 * energy.Sd));
        var lines = LinesOf(measures);
        // In two or three dimensions a few components come back whatever the data; more rays than dimensions are what no map of them explains.
        var crowded = measures.Subspace!.Dimensions <= 3 && lines?.NLine > measures.Subspace.Rank;
        // With few rows, or densities near a Gaussian, no component is found to within 25°: then as stable as independent ones would be is enough.
        var asIndependent = components.MeanStability >= Math.Max(0.7, components.StabilityTwin.Mean - 0.05);
        var complete = (stable >= 0.9 || asIndependent) && independent && !crowded;
        lines = complete ? null : lines;
        var features = new LayerFeatures
        {
            SignalComponents = signal.Length,
            Stability = stability,
            Complete = complete,
            Circles = Share(signal, c => components.PairRadiusVariation[c] is < 0.15) >= 0.5,
            DenseBits = Share(signal, c => components.WithinTwoLevels[c] < 0.06 && components.RarerLevel[c] > 0.25) >= 0.5,
            Lines = lines,
            Shares = new Matrix(measures.Subspace!.Live.Length, 0),
            Direction = new Matrix(measures.Subspace.Live.Length, 0),
            Explained = new double[measures.Subspace.Live.Length],
            OnCircle = [],
        };
        if (!complete && measures.Sparse is { } sparse && measures.Codes is { } codes && lines is not null)
            return features.FromCodes(measures.Subspace, sparse, codes);
        return features.FromComponents(measures, components, signal);
    }

    private static int[] SignalOf(IndependentComponents components)
    {
        var noise = Math.Max(
            OverNoise * components.NegentropyNull.Mean,
            components.NegentropyNull.Mean + (3 * components.NegentropyNull.Sd)
        );
        return [.. Enumerable.Range(0, components.Count).Where(c => components.Negentropy[c] > noise)];
    }

    private static double Share(int[] items, Func<int, bool> holds) => items.Length == 0 ? 0 : items.Count(holds) / (double)items.Length;

    /// <summary>Lines of the dictionaries where they agree; else rays where rows lie on them at many magnitudes.</summary>
    private static CountedLines? LinesOf(LayerMeasures measures)
    {
        var dimensions = measures.Subspace!.Dimensions;
        // In two or three dimensions any dictionary is near any other.
        if (
            dimensions >= 4
            && measures.Sparse is { Transfers: true } sparse
            && sparse.Best.Agreement >= Math.Max(0.5, sparse.AgreementNull.Mean + 0.2)
        )
            return new CountedLines(
                "two dictionaries trained apart agree; counting their directions",
                sparse.Lines,
                sparse.Directions.Rows,
                sparse.Best.Agreement
            );
        if (measures.Rays is { NRay: > 0 } rays && rays.ShareOnRays >= 0.1 && rays.MagnitudeSpread >= 0.05)
            return new CountedLines("rows lie on rays at every magnitude; counting the rays", rays.NLine, rays.NRay, rays.ShareOnRays);
        return null;
    }

    private LayerFeatures FromComponents(LayerMeasures measures, IndependentComponents components, int[] signal)
    {
        var loadings = LinearAlgebra.MultiplyTranspose(measures.Subspace!.Loadings, components.Rotation).SelectColumns(signal); // [n_live, n_signal]
        var shares = loadings.Copy();
        var direction = new Matrix(loadings.Rows, loadings.Columns);
        var skew = signal.Select(c => Skewness(components.Values.Column(c))).ToArray();
        var explained = new double[loadings.Rows];
        for (var j = 0; j < loadings.Rows; j++)
        {
            for (var c = 0; c < loadings.Columns; c++)
            {
                shares[j, c] *= shares[j, c];
                explained[j] += shares[j, c];
                direction[j, c] = Math.Abs(skew[c]) < 0.5 ? 0 : Math.Sign(loadings[j, c] * skew[c]);
            }
            explained[j] = Math.Min(1, explained[j]);
        }
        return this with
        {
            Shares = shares,
            Direction = direction,
            Explained = explained,
            OnCircle = [.. signal.Select(c => components.PairRadiusVariation[c] is < 0.15)],
        };
    }

    private LayerFeatures FromCodes(SignalSubspace subspace, SparseDirections sparse, Matrix codes)
    {
        var n = codes.Rows;
        var centred = codes.Copy();
        var deviation = new double[codes.Columns];
        for (var f = 0; f < codes.Columns; f++)
        {
            var mean = 0.0;
            for (var i = 0; i < n; i++)
                mean += codes[i, f] / n;
            for (var i = 0; i < n; i++)
            {
                centred[i, f] -= mean;
                deviation[f] += centred[i, f] * centred[i, f] / n;
            }
            deviation[f] = Math.Sqrt(deviation[f]);
        }
        var withRows = LinearAlgebra.TransposeMultiply(subspace.Whitened, centred); // n · cov(z, code) [dimensions, n_latents]
        var correlation = LinearAlgebra.Multiply(subspace.Loadings, withRows); // [n_live, n_latents]
        var shares = new Matrix(correlation.Rows, correlation.Columns);
        var direction = new Matrix(correlation.Rows, correlation.Columns);
        for (var j = 0; j < shares.Rows; j++)
        for (var f = 0; f < shares.Columns; f++)
        {
            var r = deviation[f] > 0 ? correlation[j, f] / (n * deviation[f]) : 0;
            (shares[j, f], direction[j, f]) = (r * r, Math.Sign(r));
        }
        return this with
        {
            Shares = shares,
            Direction = direction,
            Explained = ExplainedBy(subspace, sparse, codes),
            OnCircle = new bool[codes.Columns],
        };
    }

    /// <summary>Share of each live neuron's variance that the dictionary reconstructs.</summary>
    private static double[] ExplainedBy(SignalSubspace subspace, SparseDirections sparse, Matrix codes)
    {
        var scale = subspace.PrincipalScale();
        var residual = sparse.Best.First.Decode(codes);
        for (var i = 0; i < residual.Rows; i++)
        for (var k = 0; k < residual.Columns; k++)
            residual[i, k] = subspace.Whitened[i, k] - (residual[i, k] / scale[k]);
        var error = LinearAlgebra.TransposeMultiply(residual, residual);
        var spread = LinearAlgebra.Multiply(subspace.Loadings, error); // [n_live, dimensions]
        var explained = new double[subspace.Loadings.Rows];
        for (var j = 0; j < explained.Length; j++)
        {
            double held = 0,
                wrong = 0;
            for (var k = 0; k < subspace.Dimensions; k++)
            {
                held += subspace.Loadings[j, k] * subspace.Loadings[j, k];
                wrong += spread[j, k] * subspace.Loadings[j, k] / residual.Rows;
            }
            explained[j] = Math.Clamp(held - wrong, 0, 1);
        }
        return explained;
    }

    private static double Skewness(double[] standardised) => standardised.Sum(value => value * value * value) / standardised.Length;
}
