using Polyseme.Numerics;
using Polyseme.Numerics.Simd;

namespace Polyseme.Dictionaries.Training;

/// <summary>The optimiser's step over all weights of a dictionary, in two passes on all cores: the gradients' norm, then Adam.</summary>
internal static unsafe class WeightSteps<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>About how many weights a piece of work has.</summary>
    private const int SliceSize = 1 << 16;

    /// <inheritdoc cref="DictionaryWeights.Descend"/>
    public static void Descend(DictionaryWeights weights, DictionaryConfig config, long step, bool unitNorm)
    {
        var slices = weights.All.SelectMany(weight => Slices(weight, unitNorm && ReferenceEquals(weight.Value, weights.Decoder))).ToArray();
        var team = WorkerTeam.Shared;
        var scale = 1.0;
        if (unitNorm || config.ClipNorm > 0)
        {
            var squares = new double[slices.Length];
            team.Run(slices.Length, (_, i) => squares[i] = Prepare(slices[i]));
            var norm = Math.Sqrt(squares.Sum());
            if (config.ClipNorm > 0 && norm > config.ClipNorm)
                scale = config.ClipNorm / (norm + 1e-6);
        }
        var constants = new AdamConstants(config.Beta1, config.Beta2, config.Epsilon);
        team.Run(slices.Length, (_, i) => Step(slices[i], constants, config.RateAt(step), step, scale));
    }

    /// <summary>Makes the gradient of unit rows tangent; Σ gradient².</summary>
    private static double Prepare(Slice slice)
    {
        if (slice.UnitRows)
        {
            for (nint at = 0; at < slice.Count; at += slice.Width)
            {
                var along = RowKernels<TSimd, TVector>.Dot(slice.Gradient + at, slice.Value + at, slice.Width);
                RowKernels<TSimd, TVector>.ScaleAdd(slice.Gradient + at, -along, slice.Value + at, slice.Gradient + at, slice.Width);
            }
        }
        return RowKernels<TSimd, TVector>.Dot(slice.Gradient, slice.Gradient, slice.Count);
    }

    private static void Step(Slice slice, AdamConstants constants, double rate, long step, double scale)
    {
        const int Padded = 16;
        var whole = slice.Count & ~(nint)(Padded - 1);
        ParameterSteps<TSimd, TVector>.Adam(slice.Value, slice.First, slice.Second, slice.Gradient, whole, step, rate, 0, constants, scale);
        // The kernel goes to the end of a register; what is left goes through memory that is long enough.
        var rest = (int)(slice.Count - whole);
        if (rest > 0)
        {
            var padded = stackalloc float[4 * Padded];
            float*[] parts = [slice.Value + whole, slice.First + whole, slice.Second + whole, slice.Gradient + whole];
            for (var part = 0; part < parts.Length; part++)
                new Span<float>(parts[part], rest).CopyTo(new Span<float>(padded + (part * Padded), rest));
            ParameterSteps<TSimd, TVector>.Adam(
                padded,
                padded + Padded,
                padded + (2 * Padded),
                padded + (3 * Padded),
                rest,
                step,
                rate,
                0,
                constants,
                scale
            );
            for (var part = 0; part < parts.Length; part++)
                new Span<float>(padded + (part * Padded), rest).CopyTo(new Span<float>(parts[part], rest));
        }
        for (nint at = 0; slice.UnitRows && at < slice.Count; at += slice.Width)
        {
            var row = slice.Value + at;
            var norm = MathF.Sqrt(RowKernels<TSimd, TVector>.Dot(row, row, slice.Width));
            RowKernels<TSimd, TVector>.Scale(row, 1 / Math.Max(norm, 1e-8f), slice.Width);
        }
    }

    private static IEnumerable<Slice> Slices(DictionaryWeights.Weight weight, bool unitRows)
    {
        var count = (nint)weight.Value.numel();
        var width = (nint)weight.Value.shape[^1];
        var size = Math.Max(1, SliceSize / width) * width;
        var slices = new List<Slice>();
        float* value = DictionaryWeights.Pointer(weight.Value),
            gradient = DictionaryWeights.Pointer(weight.Value.grad!),
            first = DictionaryWeights.Pointer(weight.Mean),
            second = DictionaryWeights.Pointer(weight.Square);
        for (nint at = 0; at < count; at += size)
            slices.Add(new Slice(value + at, gradient + at, first + at, second + at, nint.Min(size, count - at), width, unitRows));
        return slices;
    }

    /// <summary>Whole rows of a weight.</summary>
    private sealed class Slice(float* value, float* gradient, float* first, float* second, nint count, nint width, bool unitRows)
    {
        public float* Value { get; } = value;

        public float* Gradient { get; } = gradient;

        public float* First { get; } = first;

        public float* Second { get; } = second;

        public nint Count { get; } = count;

        public nint Width { get; } = width;

        public bool UnitRows { get; } = unitRows;
    }
}
