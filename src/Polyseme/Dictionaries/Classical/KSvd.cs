using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Classical;

/// <summary>k-SVD: sparse codes by orthogonal matching pursuit, then each direction with its codes refitted to what the others leave.</summary>
/// <remarks>
/// Aharon, Elad and Bruckstein 2006, "K-SVD"; the rank-one refit is one power step, as in Rubinstein, Zibulevsky and Elad 2008 (approximate K-SVD,
/// algorithm 5). A direction that no row uses, or that nearly repeats another, is replaced by the row that is reconstructed worst.
/// </remarks>
public sealed record KSvd : ClassicalMethod
{
    private const double Repeats = 0.99;

    /// <summary>Directions.</summary>
    public int Latents
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 64;

    /// <summary>Latents of a row.</summary>
    public int K
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 4;

    /// <summary>Rounds of coding and refitting.</summary>
    public int Iterations
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 50;

    /// <summary>Whether the mean is taken from rows before. Sparse non-negative features have no offset of their own: their mean is made of them.</summary>
    public bool Centre { get; init; }

    /// <inheritdoc/>
    public override string Name => "ksvd";

    /// <inheritdoc/>
    public override string Summary => "more directions than dimensions, k of them in each row (orthogonal matching pursuit)";

    /// <inheritdoc/>
    public override string Source => "Aharon, Elad and Bruckstein 2006; Rubinstein, Zibulevsky and Elad 2008";

    /// <inheritdoc/>
    public override ClassicalFit Fit(FloatMatrix rows, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        CheckRows(rows, Latents);
        if (K > Latents)
            throw new ArgumentException($"k is {K}, but there are {Latents} latents", nameof(rows));
        var mean = Centre ? RowStatistics.Mean(rows) : new double[rows.Columns];
        var x = RowStatistics.Centred(rows, mean);
        var directions = RowStatistics.UnitRows(x, Latents, Random("start"));
        var order = Random("order");
        var total = Math.Max(TensorPrimitives.SumOfSquares<double>(x.Data), double.Epsilon);
        var method = new CodeMethod.Omp(K);
        var curve = new double[Iterations];
        for (var iteration = 0; iteration < Iterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            var codes = new SparseCoder(directions, method).Code(x);
            var left = LinearAlgebra.Multiply(codes, directions); // residual, in place
            TensorPrimitives.Subtract<double>(x.Data, left.Data, left.Data);
            curve[iteration] = TensorPrimitives.SumOfSquares<double>(left.Data) / total;
            var users = UsersOf(codes);
            var replaced = new HashSet<int>();
            foreach (var k in order.Permutation(Latents))
            {
                if (users[k].Count == 0)
                    Replace(directions, k, x, left, replaced);
                else
                    Refit(directions, k, codes, left, users[k]);
            }
            // In the last round nothing may be put in that no code was found for.
            if (iteration < Iterations - 1)
                ReplaceRepeats(directions, x, left, replaced);
            progress?.Report((iteration + 1.0) / Iterations);
        }
        return new ClassicalFit(
            new SparseCodeDictionary(RowStatistics.ToSingle(directions), RowStatistics.ToSingle(mean), method),
            Iterations,
            null,
            curve
        );
    }

    private static List<int>[] UsersOf(Matrix codes)
    {
        var users = new List<int>[codes.Columns];
        for (var k = 0; k < users.Length; k++)
            users[k] = [];
        for (var i = 0; i < codes.Rows; i++)
        {
            var row = codes.Row(i);
            for (var k = 0; k < row.Length; k++)
            {
                if (row[k] != 0)
                    users[k].Add(i);
            }
        }
        return users;
    }

    private static void Refit(Matrix directions, int k, Matrix codes, Matrix left, List<int> users)
    {
        var direction = directions.Row(k);
        var next = new double[direction.Length];
        foreach (var i in users)
        {
            TensorPrimitives.MultiplyAdd(direction, codes[i, k], left.Row(i), left.Row(i)); // without k
            TensorPrimitives.MultiplyAdd(left.Row(i), codes[i, k], next, next);
        }
        if (RowStatistics.Normalise(next) > 0)
            next.CopyTo(direction);
        foreach (var i in users)
        {
            codes[i, k] = TensorPrimitives.Dot<double>(left.Row(i), direction);
            TensorPrimitives.MultiplyAdd(direction, -codes[i, k], left.Row(i), left.Row(i));
        }
    }

    private static void Replace(Matrix directions, int k, Matrix x, Matrix left, HashSet<int> replaced)
    {
        var (worst, most) = (-1, 0.0);
        for (var i = 0; i < left.Rows; i++)
        {
            var error = TensorPrimitives.SumOfSquares<double>(left.Row(i));
            if (error > most && !replaced.Contains(i))
                (worst, most) = (i, error);
        }
        if (worst < 0)
            return;
        replaced.Add(worst);
        left.Row(worst).CopyTo(directions.Row(k));
        if (RowStatistics.Normalise(directions.Row(k)) == 0)
            x.Row(worst).CopyTo(directions.Row(k));
    }

    private static void ReplaceRepeats(Matrix directions, Matrix x, Matrix left, HashSet<int> replaced)
    {
        var gram = LinearAlgebra.MultiplyTranspose(directions, directions);
        for (var k = 0; k < directions.Rows; k++)
        for (var j = 0; j < k; j++)
        {
            if (Math.Abs(gram[k, j]) <= Repeats)
                continue;
            Replace(directions, k, x, left, replaced);
            break;
        }
    }
}
