using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>How much a small attack on the input raises a toy model's loss.</summary>
/// <param name="Clean">Mean loss without an attack.</param>
/// <param name="Attacked">Mean loss under the worst attack on each row.</param>
/// <param name="Epsilon">The attack's L2 norm: a tenth of the mean input norm.</param>
/// <remarks>
/// Elhage et al. 2022, "Toy Models of Superposition", on superposition and adversarial vulnerability. To first order the attack that raises
/// output i most is ε·G_i/‖G_i‖ with G = W·Wᵀ; each row suffers the worst i.
/// </remarks>
public sealed record AdversarialSensitivity(double Clean, double Attacked, double Epsilon)
{
    /// <summary>(L_attacked − L_clean)/ε²: 1 for one clean dimension per feature. The plain ratio of losses hardly moves, because the clean loss of ignored features is large.</summary>
    public double PerSquaredEpsilon => (Attacked - Clean) / (Epsilon * Epsilon);

    /// <summary>Attacks a model.</summary>
    /// <param name="shape">The model; no hidden ReLU.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="inputs">Fresh rows.</param>
    public static AdversarialSensitivity Measure(ToyShape shape, ToyParameters parameters, SparseRows inputs)
    {
        if (shape.HiddenRelu)
            throw new ArgumentException("the attack is optimal for a linear hidden layer only", nameof(shape));
        var gram = LinearAlgebra.MultiplyTranspose(parameters.W, parameters.W); // G [n, n]
        var changes = new Matrix(shape.Features, shape.Features); // row i: what the attack on output i does to W·h, per unit of ε
        var directions = new List<int>();
        for (var i = 0; i < shape.Features; i++)
        {
            var norm = Math.Sqrt(System.Numerics.Tensors.TensorPrimitives.SumOfSquares(gram.Row(i)));
            if (norm < 1e-9)
                continue;
            directions.Add(i);
            for (var j = 0; j < shape.Features; j++)
                changes[i, j] = System.Numerics.Tensors.TensorPrimitives.Dot(gram.Row(i), gram.Row(j)) / norm;
        }
        var x = inputs.ToMatrix();
        var before = LinearAlgebra.Multiply(x, gram); // W·Wᵀ·x [rows, n]
        var epsilon =
            0.1 * Enumerable.Range(0, x.Rows).Average(row => Math.Sqrt(System.Numerics.Tensors.TensorPrimitives.SumOfSquares(x.Row(row))));
        double clean = 0,
            attacked = 0;
        for (var row = 0; row < x.Rows; row++)
        {
            var own = Loss(shape, parameters.B, before.Row(row), default, 0, x.Row(row));
            var worst = own;
            foreach (var direction in directions)
                worst = Math.Max(worst, Loss(shape, parameters.B, before.Row(row), changes.Row(direction), epsilon, x.Row(row)));
            clean += own;
            attacked += worst;
        }
        return new AdversarialSensitivity(clean / x.Rows, attacked / x.Rows, epsilon);
    }

    private static double Loss(
        ToyShape shape,
        double[] bias,
        ReadOnlySpan<double> before,
        ReadOnlySpan<double> change,
        double epsilon,
        ReadOnlySpan<double> target
    )
    {
        var loss = 0.0;
        for (var j = 0; j < before.Length; j++)
        {
            var output = before[j] + bias[j] + (change.IsEmpty ? 0 : epsilon * change[j]);
            var error = (shape.OutputRelu ? Math.Max(output, 0) : output) - target[j];
            loss += shape.Importance[j] * error * error;
        }
        return loss;
    }
}
