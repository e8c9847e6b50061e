using System.Globalization;
using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Training;

/// <summary>Fresh rows of known truth: sparse non-negative features along known directions, x = Σ s_i·F_i.</summary>
/// <remarks>Sharkey et al. 2022, "Taking features out of superposition with sparse autoencoders".</remarks>
public sealed class SparseFeatureRows : RowStream
{
    private readonly double _density;
    private readonly float _least;
    private readonly ulong _seed;

    /// <summary>Rows over these directions.</summary>
    /// <param name="features">F, unit rows. Shape: <c>[n_features, d]</c>.</param>
    /// <param name="density">The probability that a feature is on, each on its own.</param>
    /// <param name="least">A feature that is on has a value uniform between this and 1.</param>
    /// <param name="seed">Draws the rows.</param>
    public SparseFeatureRows(FloatMatrix features, double density, double least, ulong seed)
    {
        Features = features;
        (_density, _least, _seed) = (Allowed.Between(density, 0, 1), (float)Allowed.Between(least, 0, 1), seed);
    }

    /// <summary>F. Shape: <c>[n_features, d]</c>.</summary>
    public FloatMatrix Features { get; }

    /// <inheritdoc/>
    public override int DIn => Features.Columns;

    /// <inheritdoc/>
    public override int DOut => Features.Columns;

    /// <inheritdoc/>
    public override string Identity =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"sparse features {Features.Rows}x{Features.Columns} p {_density} from {_least} seed {_seed}"
        );

    /// <inheritdoc/>
    public override void Fill(long step, Span<float> inputs, Span<float> targets) => Fill(step, inputs, (_, _) => { });

    /// <summary>Writes the batch of a step and says what is on in it.</summary>
    /// <param name="step">The step; negative ones are never trained on.</param>
    /// <param name="inputs">Shape: <c>[batch, d]</c>.</param>
    /// <param name="on">Called with the row and the feature.</param>
    internal void Fill(long step, Span<float> inputs, Action<int, int> on)
    {
        var random = new RandomStream(_seed, $"sparse-features/{step}");
        inputs.Clear();
        for (var i = 0; i < inputs.Length / DIn; i++)
        {
            var row = inputs.Slice(i * DIn, DIn);
            for (var feature = 0; feature < Features.Rows; feature++)
            {
                if (random.NextSingle() >= _density)
                    continue;
                TensorPrimitives.MultiplyAdd(Features.Row(feature), _least + ((1 - _least) * random.NextSingle()), row, row);
                on(i, feature);
            }
        }
    }
}
