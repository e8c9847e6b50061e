namespace Polyseme.Dictionaries.Training;

/// <summary>The constant that all rows are multiplied by before a dictionary is trained on them, so that settings do not depend on their unit.</summary>
public enum InputScale
{
    /// <summary>1.</summary>
    None,

    /// <summary>√(d / mean ‖x‖²): the mean squared norm becomes d.</summary>
    MeanSquare,

    /// <summary>√d / mean ‖x‖: the mean norm becomes √d. SAELens' expected_average_only_in.</summary>
    SaeLens,

    /// <summary>1 / √(mean ‖x‖²): the mean squared norm becomes 1. dictionary_learning's normalize_activations.</summary>
    DictionaryLearning,
}

/// <summary>The constants of a training: of what is read, and of what is given where that is something else.</summary>
/// <param name="Inputs">Of rows, above 0.</param>
/// <param name="Targets">Of what is to be reconstructed, above 0; the same where that is the rows.</param>
internal sealed record InputScales(double Inputs, double Targets)
{
    /// <summary>From the first batches of the stream, so that a training that goes on finds the same. 1 where all of their rows are 0.</summary>
    public static InputScales Of(DictionaryConfig config, RowStream rows)
    {
        if (config.InputScale == InputScale.None)
            return new(1, 1);
        float[] inputs = new float[config.Batch * rows.DIn],
            targets = rows.HasTargets ? new float[config.Batch * rows.DOut] : [];
        var (ofInputs, ofTargets) = (new Norms(), new Norms());
        for (var step = 0; step < Math.Min(config.InputScaleBatches, config.Steps); step++)
        {
            rows.Fill(step, inputs, targets);
            ofInputs.Add(inputs, rows.DIn);
            ofTargets.Add(targets, rows.DOut);
        }
        var scale = ofInputs.Scale(config.InputScale, rows.DIn);
        return new(scale, rows.HasTargets ? ofTargets.Scale(config.InputScale, rows.DOut) : scale);
    }

    /// <summary>Sums over rows.</summary>
    private sealed class Norms
    {
        private double _norms; // Σ ‖x‖
        private double _squares; // Σ ‖x‖²
        private long _count;

        public void Add(ReadOnlySpan<float> rows, int width)
        {
            for (var start = 0; start < rows.Length; start += width)
            {
                var square = 0.0;
                foreach (var value in rows.Slice(start, width))
                    square += (double)value * value;
                _norms += Math.Sqrt(square);
                _squares += square;
                _count++;
            }
        }

        public double Scale(InputScale scale, int width)
        {
            if (_squares == 0)
                return 1;
            return scale switch
            {
                InputScale.MeanSquare => Math.Sqrt(width / (_squares / _count)),
                InputScale.SaeLens => Math.Sqrt(width) / (_norms / _count),
                InputScale.DictionaryLearning => 1 / Math.Sqrt(_squares / _count),
                _ => throw new InvalidOperationException($"no such scale: {scale}"),
            };
        }
    }
}
