using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Polyseme.Numerics;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>
/// One training step of a toy model, fused: a tile of 32 samples is encoded, decoded and turned into errors while it is in the
/// first-level cache. Samples lie along the registers, so any n and m fill them; sparse inputs touch the rows of W that are active only.
/// </summary>
/// <remarks>10·batch·n·m operations at density 1 (encode, decode, hidden gradient and two halves of the weight gradient); 6·batch·n·m when inputs are sparse.</remarks>
internal static unsafe class ToyKernel<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Tile = ToyBatch.Tile;

    /// <summary>The gradient of one batch, into the workspace.</summary>
    /// <returns>The loss, where it was asked for.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double? Gradient(ToyShape shape, ToyWorkspace space, ToyBatch batch, bool withLoss)
    {
        if (ToyPaths.UsesFewFeatures(shape, batch))
            return FewFeaturesKernel<TSimd, TVector>.Gradient(shape, space, batch, withLoss);
        if (ToyPaths.UsesNarrow(shape, batch))
            return NarrowKernel<TSimd, TVector>.Gradient(shape, space, batch, withLoss);
        if (ToyPaths.UsesGram(shape, batch))
            return GramKernel<TSimd, TVector>.Gradient(shape, space, batch, withLoss);
        new Span<float>(space.SumsW, space.PaddedFeatures * space.Hidden * TSimd.Width).Clear();
        new Span<float>(space.SumsB, space.PaddedFeatures * TSimd.Width).Clear();
        new Span<float>(space.SparseW, space.PaddedFeatures * space.RowStride).Clear();
        var losses = new Span<float>(space.Loss, Tile);
        losses.Clear();
        Span<float> lossesBefore = stackalloc float[Tile];
        double sparseLoss = 0,
            hiddenSum = 0;
        var penalty = (float)shape.HiddenPenalty;
        var tiles = (batch.Size + Tile - 1) / Tile;
        int tileE = space.PaddedFeatures * Tile,
            tileH = space.Hidden * Tile;
        for (var first = 0; first < tiles; first += space.ChunkTiles)
        {
            var count = Math.Min(space.ChunkTiles, tiles - first);
            for (var t = 0; t < count; t++)
            {
                float* x = space.X + ((nint)t * tileE),
                    e = space.E + ((nint)t * tileE),
                    h = space.H + ((nint)t * tileH),
                    gradient = space.HiddenGradient + ((nint)t * tileH);
                Encode(space, batch, first + t, x, h);
                if (shape.HiddenRelu)
                    Rectify(h, h, tileH);
                var samples = Math.Min(Tile, batch.Size - ((first + t) * Tile));
                losses.CopyTo(lossesBefore);
                Decode(shape, space, batch, x, h, e, withLoss);
                if (samples < Tile)
                {
                    // The last tile reaches beyond the batch: what lies there is no sample.
                    lossesBefore[samples..].CopyTo(losses[samples..]);
                    for (var i = 0; i < space.Features; i++)
                        new Span<float>(e + (i * Tile) + samples, Tile - samples).Clear();
                }
                if (!batch.IsDense)
                    sparseLoss += SubtractSparse(shape, space, batch, first + t, e, withLoss);
                TileProduct<TSimd, TVector>.Multiply(space.W, 1, space.RowStride, e, gradient, space.Hidden, space.Features);
                // Gradients are halved until they are collected.
                if (penalty > 0)
                    hiddenSum += TilePenalty<TSimd, TVector>.Add(h, gradient, space.Hidden, samples, penalty / 2, withLoss);
                if (shape.HiddenRelu)
                    Rectify(gradient, h, tileH);
                if (!batch.IsDense)
                    AddSparse(space, batch, first + t, gradient);
            }
            TileOuterSums<TSimd, TVector, LanesApart<TSimd, TVector>>.Add(
                space.E,
                space.PaddedFeatures,
                space.H,
                space.Hidden,
                count,
                space.SumsW
            );
            if (batch.IsDense)
            {
                TileOuterSums<TSimd, TVector, LanesApart<TSimd, TVector>>.Add(
                    space.X,
                    space.PaddedFeatures,
                    space.HiddenGradient,
                    space.Hidden,
                    count,
                    space.SumsW
                );
            }
            LanesApart<TSimd, TVector>.AddRows(space.E, space.PaddedFeatures, count, space.SumsB);
        }
        Collect(space, 2f / batch.Size);
        return withLoss ? (Sum(losses) + sparseLoss + (shape.HiddenPenalty * hiddenSum)) / batch.Size : null;
    }

    /// <summary>One step of Adam with decoupled weight decay.</summary>
    /// <param name="space">Parameters, moments and gradient.</param>
    /// <param name="step">0, 1, ….</param>
    /// <param name="training">Learning rate and decays.</param>
    /// <returns>Whether the gradient was finite. If not, nothing was changed.</returns>
    public static bool Adam(ToyWorkspace space, int step, ToyTraining training)
    {
        var (rate, weightDecay) = (training.RateAt(step), training.WeightDecay);
        var weights = space.PaddedFeatures * space.RowStride;
        var squares =
            ParameterSteps<TSimd, TVector>.SumOfSquares(space.GradientW, weights)
            + ParameterSteps<TSimd, TVector>.SumOfSquares(space.GradientB, space.PaddedFeatures);
        if (!float.IsFinite(squares))
            return false;
        if (training.RowDecay != 0)
            DecayRows(space, rate * training.RowDecay);
        var constants = AdamConstants.Standard;
        ParameterSteps<TSimd, TVector>.Adam(
            space.W,
            space.FirstW,
            space.SecondW,
            space.GradientW,
            weights,
            step,
            rate,
            weightDecay,
            constants
        );
        ParameterSteps<TSimd, TVector>.Adam(
            space.B,
            space.FirstB,
            space.SecondB,
            space.GradientB,
            space.PaddedFeatures,
            step,
            rate,
            weightDecay,
            constants
        );
        return true;
    }

    /// <summary>The decay of <see cref="ToyTraining.RowDecay"/>, <paramref name="decay"/> being lr·γ; rows of zeros stay.</summary>
    private static void DecayRows(ToyWorkspace space, double decay)
    {
        for (var i = 0; i < space.Features; i++)
        {
            var row = space.W + (i * space.RowStride);
            // Not in registers: a narrow row ends before one does.
            var squares = 0.0;
            for (var k = 0; k < space.Hidden; k++)
                squares += (double)row[k] * row[k];
            if (squares == 0)
                continue;
            var norm = Math.Sqrt(squares);
            var keep = (float)(decay > 0 ? 1 - decay : 1 + (decay * (1 - (1 / norm))));
            for (var k = 0; k < space.Hidden; k++)
                row[k] *= keep;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Encode(ToyWorkspace space, ToyBatch batch, int tile, float* x, float* h)
    {
        if (batch.IsDense)
        {
            if (batch.IsTiled)
                batch.FillTile(tile, x);
            else
                Spread(batch.Rows, tile, x, space.PaddedFeatures);
            TileProduct<TSimd, TVector>.Multiply(space.W, 1, space.RowStride, x, h, space.Hidden, space.Features);
            return;
        }
        var rows = batch.Rows;
        var stride = space.RowStride;
        new Span<float>(space.HiddenRows, Tile * stride).Clear();
        var (begin, end) = Entries(batch, tile);
        AddScaledRows(
            space.HiddenRows,
            rows.Row[begin..end],
            Tile - 1,
            space.W,
            rows.Feature[begin..end],
            -1,
            rows.Value[begin..end],
            stride
        );
        for (var k = 0; k < space.Hidden; k++)
        {
            for (var sample = 0; sample < Tile; sample++)
                h[(k * Tile) + sample] = space.HiddenRows[(sample * stride) + k];
        }
    }

    private static void Spread(SparseRows rows, int tile, float* x, int paddedFeatures)
    {
        new Span<float>(x, paddedFeatures * Tile).Clear();
        var start = rows.Start;
        var feature = rows.Feature;
        var value = rows.Value;
        for (var sample = tile * Tile; sample < Math.Min((tile + 1) * Tile, rows.Count); sample++)
        {
            for (var entry = start[sample]; entry < start[sample + 1]; entry++)
                x[(feature[entry] * Tile) + (sample % Tile)] = value[entry];
        }
    }

    private static void Decode(ToyShape shape, ToyWorkspace space, ToyBatch batch, float* x, float* h, float* e, bool withLoss)
    {
        TileProduct<TSimd, TVector>.Multiply(space.W, space.RowStride, 1, h, e, space.Features, space.Hidden);
        TileErrors<TSimd, TVector>.Finish(
            e,
            space.Features,
            space.B,
            space.Importance,
            batch.IsDense ? x : null,
            shape.OutputRelu,
            withLoss ? space.Loss : null
        );
    }

    /// <summary>Subtracts I·x from the errors of active entries that the output's ReLU lets through.</summary>
    /// <returns>What that changes in the summed loss: I·(x² − 2·x·x').</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SubtractSparse(ToyShape shape, ToyWorkspace space, ToyBatch batch, int tile, float* e, bool withLoss)
    {
        var loss = 0.0;
        var everywhere = !shape.OutputRelu;
        var (begin, end) = Entries(batch, tile);
        var row = batch.Rows.Row[begin..end];
        var feature = batch.Rows.Feature[begin..end];
        var value = batch.Rows.Value[begin..end];
        for (var entry = 0; entry < value.Length; entry++)
        {
            var at = e + (feature[entry] * Tile) + (row[entry] & (Tile - 1));
            var (importance, x, output) = (space.Importance[feature[entry]], value[entry], *at);
            if (withLoss)
                loss += (importance * x * x) - (2 * x * output);
            // A choice between two numbers, not a branch: half of the entries go either way.
            *at = output - (everywhere | output > 0 ? importance * x : 0);
        }
        return loss;
    }

    /// <summary>The encoder's half of the weight gradient: row i gains x_i times the hidden gradient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddSparse(ToyWorkspace space, ToyBatch batch, int tile, float* gradient)
    {
        var stride = space.RowStride;
        for (var k = 0; k < space.Hidden; k++)
        {
            for (var sample = 0; sample < Tile; sample++)
                space.HiddenRows[(sample * stride) + k] = gradient[(k * Tile) + sample];
        }
        var (begin, end) = Entries(batch, tile);
        var rows = batch.Rows;
        AddScaledRows(
            space.SparseW,
            rows.Feature[begin..end],
            -1,
            space.HiddenRows,
            rows.Row[begin..end],
            Tile - 1,
            rows.Value[begin..end],
            stride
        );
    }

    /// <summary>The entries of a tile, one flat list: a loop over samples would mispredict its end at nearly every sample.</summary>
    private static (int Begin, int End) Entries(ToyBatch batch, int tile) =>
        (batch.Rows.Start[tile * Tile], batch.Rows.Start[Math.Min((tile + 1) * Tile, batch.Size)]);

    /// <summary>sums[to[e]] += factors[e]·rows[from[e]], row by row; an index is taken under its mask.</summary>
    /// <remarks>A row of W is a whole number of portable registers: 4, 8 or multiples of 16 floats.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddScaledRows(
        float* sums,
        ReadOnlySpan<int> to,
        int toMask,
        float* rows,
        ReadOnlySpan<int> from,
        int fromMask,
        ReadOnlySpan<float> factors,
        int stride
    )
    {
        to = to[..factors.Length];
        from = from[..factors.Length];
        switch (stride)
        {
            case 4:
                for (var entry = 0; entry < factors.Length; entry++)
                {
                    var sum = sums + ((to[entry] & toMask) * 4);
                    var row = Vector128.Load(rows + ((from[entry] & fromMask) * 4));
                    Vector128.Store(Vector128.FusedMultiplyAdd(Vector128.Create(factors[entry]), row, Vector128.Load(sum)), sum);
                }
                break;
            case 8:
                for (var entry = 0; entry < factors.Length; entry++)
                {
                    var sum = sums + ((to[entry] & toMask) * 8);
                    var row = Vector256.Load(rows + ((from[entry] & fromMask) * 8));
                    Vector256.Store(Vector256.FusedMultiplyAdd(Vector256.Create(factors[entry]), row, Vector256.Load(sum)), sum);
                }
                break;
            default:
                for (var entry = 0; entry < factors.Length; entry++)
                {
                    var sum = sums + ((to[entry] & toMask) * stride);
                    var row = rows + ((from[entry] & fromMask) * stride);
                    var factor = Vector256.Create(factors[entry]);
                    for (var k = 0; k < stride; k += 8)
                        Vector256.Store(Vector256.FusedMultiplyAdd(factor, Vector256.Load(row + k), Vector256.Load(sum + k)), sum + k);
                }
                break;
        }
    }

    /// <summary>Zero where the gate is not positive.</summary>
    private static void Rectify(float* values, float* gate, int count)
    {
        for (var i = 0; i < count; i += TSimd.Width)
            TSimd.Store(values + i, TSimd.WherePositive(TSimd.Load(gate + i), TSimd.Load(values + i)));
    }

    /// <summary>Sums the lanes, adds the sparse half, and scales.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Collect(ToyWorkspace space, float scale)
    {
        var sums = space.SumsW;
        for (var i = 0; i < space.Features; i++)
        {
            var row = (nint)i * space.RowStride;
            for (var k = 0; k < space.Hidden; k++)
            {
                space.GradientW[row + k] = scale * (TSimd.Sum(TSimd.Load(sums)) + space.SparseW[row + k]);
                sums += TSimd.Width;
            }
            space.GradientB[i] = scale * TSimd.Sum(TSimd.Load(space.SumsB + (i * TSimd.Width)));
        }
    }

    private static double Sum(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        return sum;
    }
}
