using System.Numerics.Tensors;

namespace Polyseme.Zoo.Training;

/// <summary>A dense layer of few units on a batch whose samples lie next to each other: y = W·x + b, and the way back.</summary>
/// <remarks>Every array of activations is unit by unit, <c>[units, batch]</c>, so that all inner loops run along the batch whatever the layer's size.</remarks>
internal static class ColumnLayer
{
    /// <summary>y = W·x + b.</summary>
    /// <param name="w">Shape: <c>[outputs, inputs]</c>.</param>
    /// <param name="b">Shape: <c>[outputs]</c>, or empty for none.</param>
    /// <param name="x">Shape: <c>[inputs, batch]</c>.</param>
    /// <param name="y">Filled. Shape: <c>[outputs, batch]</c>.</param>
    /// <param name="batch">Samples.</param>
    public static void Forward(ReadOnlySpan<float> w, ReadOnlySpan<float> b, ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        var (outputs, inputs) = (y.Length / batch, x.Length / batch);
        for (var o = 0; o < outputs; o++)
        {
            var to = y.Slice(o * batch, batch);
            to.Fill(b.IsEmpty ? 0 : b[o]);
            for (var i = 0; i < inputs; i++)
                TensorPrimitives.MultiplyAdd(x.Slice(i * batch, batch), w[(o * inputs) + i], to, to);
        }
    }

    /// <summary>dx = Wᵀ·dy.</summary>
    /// <param name="w">Shape: <c>[outputs, inputs]</c>.</param>
    /// <param name="dy">Shape: <c>[outputs, batch]</c>.</param>
    /// <param name="dx">Filled. Shape: <c>[inputs, batch]</c>.</param>
    /// <param name="batch">Samples.</param>
    public static void BackwardInputs(ReadOnlySpan<float> w, ReadOnlySpan<float> dy, Span<float> dx, int batch)
    {
        var (outputs, inputs) = (dy.Length / batch, dx.Length / batch);
        dx.Clear();
        for (var i = 0; i < inputs; i++)
        {
            var to = dx.Slice(i * batch, batch);
            for (var o = 0; o < outputs; o++)
                TensorPrimitives.MultiplyAdd(dy.Slice(o * batch, batch), w[(o * inputs) + i], to, to);
        }
    }

    /// <summary>dW += dy·xᵀ, db += Σ dy.</summary>
    /// <param name="dy">Shape: <c>[outputs, batch]</c>.</param>
    /// <param name="x">Shape: <c>[inputs, batch]</c>.</param>
    /// <param name="dw">Added to. Shape: <c>[outputs, inputs]</c>.</param>
    /// <param name="db">Added to. Shape: <c>[outputs]</c>, or empty for none.</param>
    /// <param name="batch">Samples.</param>
    public static void BackwardWeights(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, Span<float> dw, Span<float> db, int batch)
    {
        var (outputs, inputs) = (dy.Length / batch, x.Length / batch);
        for (var o = 0; o < outputs; o++)
        {
            var from = dy.Slice(o * batch, batch);
            for (var i = 0; i < inputs; i++)
                dw[(o * inputs) + i] += TensorPrimitives.Dot(from, x.Slice(i * batch, batch));
            if (!db.IsEmpty)
                db[o] += TensorPrimitives.Sum<float>(from);
        }
    }

    /// <summary>A sparse batch, spread out. Shape: <c>[inputs, batch]</c>.</summary>
    public static void Spread(SparseRows rows, Span<float> x, int batch)
    {
        x.Clear();
        ReadOnlySpan<int> row = rows.Row,
            feature = rows.Feature;
        var value = rows.Value;
        for (var entry = 0; entry < row.Length; entry++)
            x[(feature[entry] * batch) + row[entry]] = value[entry];
    }
}
