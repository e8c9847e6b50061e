using TorchSharp;

namespace Polyseme.Numerics;

/// <summary>Dense double-precision linear algebra, done by libtorch. The one place that hands matrices to it.</summary>
public static class LinearAlgebra
{
    /// <summary>A·B. Shape: <c>[a.Rows, b.Columns]</c>.</summary>
    public static Matrix Multiply(Matrix a, Matrix b)
    {
        if (a.Columns != b.Rows)
            throw new ArgumentException($"[{a.Rows}, {a.Columns}] · [{b.Rows}, {b.Columns}] is not defined", nameof(b));
        using var scope = torch.NewDisposeScope();
        return ToMatrix(torch.mm(ToTensor(a), ToTensor(b)));
    }

    /// <summary>Aᵀ·B. Shape: <c>[a.Columns, b.Columns]</c>.</summary>
    public static Matrix TransposeMultiply(Matrix a, Matrix b)
    {
        if (a.Rows != b.Rows)
            throw new ArgumentException($"[{a.Rows}, {a.Columns}]ᵀ · [{b.Rows}, {b.Columns}] is not defined", nameof(b));
        using var scope = torch.NewDisposeScope();
        return ToMatrix(torch.mm(ToTensor(a).t(), ToTensor(b)));
    }

    /// <summary>A·Bᵀ. Shape: <c>[a.Rows, b.Rows]</c>.</summary>
    public static Matrix MultiplyTranspose(Matrix a, Matrix b)
    {
        if (a.Columns != b.Columns)
            throw new ArgumentException($"[{a.Rows}, {a.Columns}] · [{b.Rows}, {b.Columns}]ᵀ is not defined", nameof(b));
        using var scope = torch.NewDisposeScope();
        return ToMatrix(torch.mm(ToTensor(a), ToTensor(b).t()));
    }

    /// <summary>Eigenvalues, largest first, and unit eigenvectors as columns of a symmetric matrix.</summary>
    public static (double[] Values, Matrix Vectors) SymmetricEigen(Matrix symmetric)
    {
        using var scope = torch.NewDisposeScope();
        var (values, vectors) = torch.linalg.eigh(ToTensor(symmetric));
        return (values.flip(0).data<double>().ToArray(), ToMatrix(vectors.flip(1)));
    }

    /// <summary>Singular values, largest first, with left (columns of U) and right (rows of Vᵀ) vectors: A = U·diag(S)·Vᵀ.</summary>
    public static (Matrix U, double[] S, Matrix Vt) Svd(Matrix a)
    {
        using var scope = torch.NewDisposeScope();
        var (u, s, vt) = torch.linalg.svd(ToTensor(a), fullMatrices: false);
        return (ToMatrix(u), s.data<double>().ToArray(), ToMatrix(vt));
    }

    /// <summary>
    /// Ridge regression coefficients (XᵀX + λI)⁻¹XᵀY. Shape: <c>[x.Columns, y.Columns]</c>. The columns are taken as they are: centre them first.
    /// </summary>
    /// <param name="x">Predictors. Shape: <c>[n_samples, n_predictors]</c>.</param>
    /// <param name="y">Targets. Shape: <c>[n_samples, n_targets]</c>.</param>
    /// <param name="ridge">λ > 0, in units of the predictors' squared sum.</param>
    public static Matrix Ridge(Matrix x, Matrix y, double ridge)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ridge);
        using var scope = torch.NewDisposeScope();
        var predictors = ToTensor(x);
        var gram = torch.mm(predictors.t(), predictors) + (ridge * torch.eye(x.Columns, dtype: torch.float64));
        var factor = torch.linalg.cholesky(gram);
        return ToMatrix(torch.cholesky_solve(torch.mm(predictors.t(), ToTensor(y)), factor));
    }

    /// <summary>A matrix as a tensor that shares its memory. Dispose it (or its scope) before the matrix goes.</summary>
    internal static torch.Tensor ToTensor(Matrix matrix) =>
        matrix.Data.Length == 0
            ? torch.zeros(matrix.Rows, matrix.Columns, torch.float64)
            : torch.frombuffer(matrix.Data, torch.float64).reshape(matrix.Rows, matrix.Columns);

    /// <summary>A 2-D double tensor, copied.</summary>
    internal static Matrix ToMatrix(torch.Tensor tensor)
    {
        if (tensor.numel() == 0)
            return new Matrix((int)tensor.shape[0], (int)tensor.shape[1]);
        using var contiguous = tensor.contiguous();
        return new Matrix((int)tensor.shape[0], (int)tensor.shape[1], contiguous.data<double>().ToArray());
    }
}
