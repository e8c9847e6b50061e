using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Classical;

/// <summary>Online dictionary learning: batches are coded by the lasso, and directions follow the codes' running moments.</summary>
/// <remarks>
/// Mairal, Bach, Ponce and Sapiro 2010, "Online learning for matrix factorization and sparse coding", algorithms 1 and 2 with mini-batches; the past is
/// forgotten by (1 − 1/t)^ρ (their section 3.4.2, eq. 11). Directions lie in the unit ball. A direction that no code has used is redrawn from the batch.
/// </remarks>
public sealed record OnlineDictionaryLearning : ClassicalMethod
{
    /// <summary>Directions.</summary>
    public int Latents
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 64;

    /// <summary>λ of ½‖x − fᵀD‖² + λ·Σ|f|, as a share of the rows' root mean square length.</summary>
    public double Lambda
    {
        get;
        init => field = Allowed.Above(value, 0);
    } = 0.2;

    /// <summary>Whether codes are ≥ 0.</summary>
    public bool NonNegative { get; init; } = true;

    /// <summary>Rows of a batch, drawn with replacement.</summary>
    public int Batch
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 256;

    /// <summary>Batches.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 1000;

    /// <summary>ρ: how fast early batches, coded by poor directions, lose their weight; 0 keeps them.</summary>
    public double Forgetting
    {
        get;
        init => field = Allowed.Between(value, 0, double.PositiveInfinity);
    } = 2;

    /// <summary>Whether the mean is taken from rows before.</summary>
    public bool Centre { get; init; }

    /// <inheritdoc/>
    public override string Name => "online";

    /// <inheritdoc/>
    public override string Summary => "more directions than dimensions, few of them in each row (lasso)";

    /// <inheritdoc/>
    public override string Source => "Mairal, Bach, Ponce and Sapiro 2010";

    /// <inheritdoc/>
    public override ClassicalFit Fit(FloatMatrix rows, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        CheckRows(rows, Latents);
        var mean = Centre ? RowStatistics.Mean(rows) : new double[rows.Columns];
        var x = RowStatistics.Centred(rows, mean);
        var scale = Math.Sqrt(TensorPrimitives.SumOfSquares<double>(x.Data) / x.Rows);
        var lambda = Lambda * Math.Max(scale, 1e-300);
        var random = Random("batches");
        var directions = RowStatistics.UnitRows(x, Latents, Random("start"));
        var method = new CodeMethod.Lasso(lambda, NonNegative);
        var codeMoments = new Matrix(Latents, Latents); // A = Σ f·fᵀ
        var crossMoments = new Matrix(Latents, rows.Columns); // B = Σ f·xᵀ
        var curve = new double[Steps];
        for (var step = 0; step < Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            var batch = x.SelectRows([.. Enumerable.Range(0, Batch).Select(_ => random.NextInt(x.Rows))]);
            var codes = new SparseCoder(directions, method).Code(batch);
            curve[step] = Loss(batch, codes, directions, lambda);
            var keep = Math.Pow(1 - (1.0 / (step + 1)), Forgetting);
            Join(codeMoments, LinearAlgebra.TransposeMultiply(codes, codes), keep);
            Join(crossMoments, LinearAlgebra.TransposeMultiply(codes, batch), keep);
            UpdateDirections(directions, codeMoments, crossMoments, batch, random);
            progress?.Report((step + 1.0) / Steps);
        }
        return new ClassicalFit(
            new SparseCodeDictionary(RowStatistics.ToSingle(directions), RowStatistics.ToSingle(mean), method),
            Steps,
            null,
            curve
        );
    }

    private static double Loss(Matrix batch, Matrix codes, Matrix directions, double lambda)
    {
        var back = LinearAlgebra.Multiply(codes, directions);
        TensorPrimitives.Subtract<double>(batch.Data, back.Data, back.Data);
        var error = TensorPrimitives.SumOfSquares<double>(back.Data) / 2;
        return (error + (lambda * TensorPrimitives.SumOfMagnitudes<double>(codes.Data))) / batch.Rows;
    }

    private static void Join(Matrix moments, Matrix added, double keep) =>
        TensorPrimitives.MultiplyAdd(moments.Data, keep, added.Data, moments.Data);

    /// <summary>d_k ← (b_k − Σ_j A_kj·d_j)/A_kk + d_k, into the unit ball: algorithm 2.</summary>
    private static void UpdateDirections(Matrix directions, Matrix codeMoments, Matrix crossMoments, Matrix batch, RandomStream random)
    {
        var largest = Enumerable.Range(0, directions.Rows).Max(k => codeMoments[k, k]);
        var change = new double[directions.Columns];
        for (var k = 0; k < directions.Rows; k++)
        {
            var direction = directions.Row(k);
            var norm = codeMoments[k, k];
            if (norm <= 1e-8 * largest)
            {
                batch.Row(random.NextInt(batch.Rows)).CopyTo(direction);
                RowStatistics.Normalise(direction);
                continue;
            }
            crossMoments.Row(k).CopyTo(change);
            for (var j = 0; j < directions.Rows; j++)
                TensorPrimitives.MultiplyAdd(directions.Row(j), -codeMoments[k, j], change, change);
            TensorPrimitives.MultiplyAdd(change, 1 / norm, direction, direction);
            var length = Math.Sqrt(TensorPrimitives.SumOfSquares<double>(direction));
            if (length > 1)
                TensorPrimitives.Divide(direction, length, direction);
        }
    }
}
