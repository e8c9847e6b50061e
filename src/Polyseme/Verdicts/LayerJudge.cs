using Polyseme.Evidence;

namespace Polyseme.Verdicts;

/// <summary>
/// Weighs a layer's evidence. Each argument takes probability away from the causes it speaks against; what is left is the posterior. The order of
/// exclusion is signal, items, non-linearity, an invertible map, superposition.
/// </summary>
/// <remarks>
/// The weights are log-likelihood ratios set from principle and kept in <see cref="JudgeCalibration"/>; they are not fitted to simulated layers, and the
/// nominal coverage of the prediction set is therefore a statement of intent.
/// </remarks>
public sealed class LayerJudge
{
    private readonly LayerMeasures _measures;
    private readonly JudgeCalibration _weights = JudgeCalibration.Current;
    private readonly Dictionary<Cause, double> _log = Causes.All.ToDictionary(cause => cause, _ => 0.0);
    private readonly List<string> _reasons = [];
    private string? _reasonCode;
    private string? _subtype;
    private int? _nLine;
    private int? _nRay;
    private bool _speaks; // whether anything said what the layer is, and not only what it is not

    private LayerJudge(LayerMeasures measures)
    {
        _measures = measures;
    }

    /// <summary>Decides.</summary>
    public static LayerVerdict Decide(LayerMeasures measures) => new LayerJudge(measures).Decide();

    private LayerVerdict Decide()
    {
        // A network that gives back its training items and nothing else has told what it is, whatever its layer looks like.
        if (!NetworkMemory() && EnoughToMeasure())
            WeighMeasures(LayerFeatures.Of(_measures));
        return Finish();
    }

    private void WeighMeasures(LayerFeatures features)
    {
        Items();
        // Components that come back are no argument against concepts that only a non-linear read-out of them gets.
        if (!NonlinearConcepts())
        {
            InvertibleMap(features);
            Superposed(features);
        }
        Aligned(features);
        SignalAtAll(features);
    }

    private bool NetworkMemory()
    {
        if (_measures.Input.Reconstruction is not { } reconstruction || !ReconstructionGap.IsMemory(reconstruction))
            return false;
        For(
            [Cause.Compositional],
            _weights.Decisive,
            $"the network gives back the {reconstruction.SeenItems} items it was trained on (FVU {reconstruction.SeenFvu:F2}) and no others (FVU {reconstruction.FreshFvu:F2}); equivalently: one feature per item"
        );
        return true;
    }

    private bool EnoughToMeasure()
    {
        var n = _measures.Input.Activations.NSamples;
        if (_measures.Subspace is null)
            return Undetermined("no_signal", "no neuron varies over the rows given");
        if (n < LayerMeasures.FewestRows || _measures.Components is null)
            return Undetermined(
                "too_few_samples",
                $"{n} rows in {_measures.Groups.Count} groups are too few to learn on some and test on others (at least {LayerMeasures.FewestRows} rows in 4 groups)"
            );
        if (n < 10 * _measures.Subspace.Dimensions)
            return Undetermined("too_few_samples", $"{n} rows are fewer than ten for each of {_measures.Subspace.Dimensions} dimensions");
        return true;
    }

    private bool Undetermined(string code, string reason)
    {
        _reasonCode = code;
        _reasons.Add(reason);
        return false;
    }

    /// <summary>Items are decodable, and nothing learned on some says anything about others.</summary>
    private void Items()
    {
        var groups = _measures.Groups;
        var repeats = groups.Name != "document" && groups.RowsPerGroup >= 2;
        if (_measures.Memory is { } memory && memory.Seen >= 0.5)
        {
            var transfers = _measures.Probes?.Readouts.Max(readout => readout.Best) ?? 0;
            if (memory.Unseen <= Math.Max(0.1, memory.Null.Mean + (3 * memory.Null.Sd)) && transfers < 0.2)
            {
                For(
                    [Cause.Compositional],
                    _weights.Strong,
                    $"concepts are read on seen items (R² {memory.Seen:F2}) and not on unseen ones (R² {memory.Unseen:F2})"
                );
                return;
            }
        }
        if (_measures.Probes is { } probes && probes.Readouts.Max(readout => readout.Best) >= 0.3)
            Against([Cause.Compositional], _weights.Strong);
        if (!repeats || _measures.Sparse is not { } sparse)
            return;
        var overfit = sparse.Pairs.Min(pair => pair.LearnedFvu / Math.Max(pair.HeldOutFvu, 1e-9));
        if (sparse.Transfer >= 0.95 && overfit < 0.6)
            For(
                [Cause.Compositional],
                _weights.Medium,
                $"directions learned on some items explain others no better than chance (G = {sparse.Transfer:F2})"
            );
        else if (sparse.Transfers)
            Against([Cause.Compositional], _weights.Strong);
    }

    /// <summary>Concepts that only a non-linear read-out gets, and that are not functions of concepts that are read linearly.</summary>
    private bool NonlinearConcepts()
    {
        if (_measures.Probes is not { } probes)
            return false;
        var represented = probes.Readouts.Where(readout => readout.Best > probes.Floor + 0.1).ToArray();
        if (represented.Length == 0)
            return false;
        var hidden = represented.Where(ConceptJudge.IsNonlinear).ToArray();
        var derived = ConceptJudge.DerivedFromLinear(_measures, hidden, represented);
        var share = (hidden.Length - derived) / (double)Math.Max(1, represented.Length - derived);
        if (share >= 0.4)
        {
            _subtype ??= "region";
            For(
                [Cause.Nonlinear],
                _weights.Strong,
                $"{hidden.Length - derived} of {represented.Length - derived} represented concepts are read by a non-linear probe only"
            );
            return true;
        }
        if (share < 0.2 && represented.Length >= 2)
            Against([Cause.Nonlinear], _weights.Medium);
        return false;
    }

    private void InvertibleMap(LayerFeatures features)
    {
        if (!features.Complete)
            return;
        _speaks = true;
        _nLine ??= features.SignalComponents;
        _nRay ??= features.SignalComponents;
        if (features.Circles)
        {
            _subtype ??= "subspace";
            For(
                [Cause.Rotated, Cause.Nonlinear],
                _weights.Strong,
                "components come in pairs that move on circles: linear subspaces of two dimensions, or angles, which only the use made of them can tell"
            );
            return;
        }
        if (features.DenseBits && _measures.Probes?.Readouts.Any(readout => readout.Linear >= 0.3) != true)
        {
            For(
                [Cause.Monosemantic, Cause.Rotated, Cause.Compositional],
                _weights.Strong,
                "components are dense bits: features, or the digits of an arbitrary code, which only concepts can tell"
            );
            return;
        }
        For(
            [Cause.Monosemantic, Cause.Rotated],
            _weights.Strong,
            $"one invertible map recovers {features.SignalComponents} components that come back in both halves of the data (stability {features.Stability:F2}) and are independent (median energy correlation {_measures.Components!.MedianEnergyCorrelation:F3})"
        );
    }

    private void Superposed(LayerFeatures features)
    {
        // Against the rank, even where measures work in fewer dimensions: a layer cut down to fewer dimensions than it has is in superposition there, whatever it was.
        var r = _measures.Subspace!.Rank;
        if (_measures.Encoding is { Explained: >= 0.8 } encoding)
        {
            _speaks = true;
            (_nLine, _nRay) = (encoding.NLine, encoding.NRay);
            var sum = $"the concepts add: a sum of their directions explains {encoding.Explained:P0} of unseen rows";
            if (encoding.NLine > 1.05 * r)
                For([Cause.Superposition], _weights.Strong, $"{sum}, along {encoding.NLine} lines in {r} dimensions");
            else
                Against(
                    [Cause.Superposition, Cause.Compositional],
                    _weights.Strong,
                    $"{sum}, along {encoding.NLine} lines, no more than the {r} dimensions"
                );
            return;
        }
        if (ReadableLines() is var readable && readable > 1.05 * r)
        {
            (_nLine, _nRay) = (readable, Math.Max(readable, _nRay ?? 0));
            For(
                [Cause.Superposition],
                _weights.Strong,
                $"concepts are read back by a direction and a ReLU along {readable} lines in {r} dimensions"
            );
            return;
        }
        if (features.Complete || features.Lines is not { } lines)
            return;
        _speaks = true;
        (_nLine, _nRay) = (lines.NLine, lines.NRay);
        if (lines.NLine > Math.Max(1.1 * r, r + 0.5))
        {
            _subtype ??= lines.NLine <= _measures.Input.Activations.NNeurons ? "in_span" : null;
            For(
                [Cause.Superposition],
                _weights.Strong,
                $"{lines.How} finds {lines.NLine} lines in {r} dimensions, more than any invertible map can hold, and they explain unseen rows as sums"
            );
        }
        else if (lines.Agreement >= 0.8 && _measures.Subspace.Dimensions == r)
        {
            For(
                [Cause.Monosemantic, Cause.Rotated],
                _weights.Medium,
                $"{lines.How} finds {lines.NLine} lines, no more than the {r} dimensions"
            );
        }
    }

    /// <summary>Distinct lines of concepts that a direction, a direction and a ReLU, or a sparse code reads on unseen groups.</summary>
    private int ReadableLines()
    {
        if (_measures is not { Encoding: { } encoding, Probes: { } probes })
            return 0;
        var readable = probes.Readouts.Where(readout => readout.BestOfDirections >= 0.6).Select(readout => readout.Concept).ToHashSet();
        int[] rows = [.. Enumerable.Range(0, encoding.ConceptOf.Length).Where(i => readable.Contains(encoding.ConceptOf[i]))];
        return SparseDirections.LinesOf(encoding.Directions.SelectRows(rows), 0.98);
    }

    private void Aligned(LayerFeatures features)
    {
        if (features.AlignedNeurons is not { } aligned)
            return;
        if (aligned >= 0.9 && features.MixingNeurons >= 0.5)
        {
            // Both definitions hold: one feature is most of a neuron, and most neurons mix. A turn that exact is no accident of noise.
            Against(
                [Cause.Monosemantic],
                _weights.Weak,
                $"one feature explains most of {aligned:P0} of the live neurons, but others explain a tenth or more of {features.MixingNeurons:P0} of them"
            );
        }
        else if (aligned >= 0.9)
        {
            Against([Cause.Rotated], _weights.Strong, $"one feature explains most of the variance of {aligned:P0} of the live neurons");
        }
        else if (aligned < 0.6)
            Against([Cause.Monosemantic], _weights.Strong, $"only {aligned:P0} of the live neurons carry one feature");
    }

    private void SignalAtAll(LayerFeatures features)
    {
        if (_speaks)
            return;
        var best = _measures.Probes is { } probes ? probes.Readouts.Max(readout => readout.Best) - probes.Floor : 0;
        if (features.SignalComponents == 0 && _measures.Rays is not { NRay: > 0 } && _measures.Sparse?.Transfers != true && best <= 0)
        {
            _reasons.Clear();
            Undetermined(
                "no_signal",
                "nothing distinguishes the layer from elliptical noise with its covariance: no components, no rays, no directions that transfer"
            );
            foreach (var cause in Causes.All)
                _log[cause] = 0;
        }
        else if (features.SignalComponents > 0)
        {
            // Not Gaussian, but no complete set of independent components: an invertible map is not what it is.
            Against(
                [Cause.Monosemantic, Cause.Rotated],
                _weights.Weak,
                "the layer is not elliptical noise, but no set of components or directions comes back"
            );
        }
    }

    private void For(Cause[] causes, double weight, string reason)
    {
        _speaks = true;
        Against([.. Causes.All.Except(causes)], weight, reason);
    }

    private void Against(Cause[] causes, double weight, string? reason = null)
    {
        foreach (var cause in causes)
            _log[cause] -= weight;
        if (reason is not null)
            _reasons.Add(reason);
    }

    private LayerVerdict Finish()
    {
        var total = _log.Values.Sum(Math.Exp);
        var posterior = Causes.All.ToDictionary(Causes.Id, cause => Math.Exp(_log[cause]) / total);
        var ranked = Causes.All.OrderByDescending(cause => _log[cause]).ToArray();
        var set = PredictionSet(ranked, posterior);
        var decided = _reasonCode is null && posterior[Causes.Id(ranked[0])] >= _weights.Decide;
        var explanation = string.Join("; ", _reasons);
        var subspace = _measures.Subspace;
        return new LayerVerdict
        {
            Verdict = decided ? Causes.Id(ranked[0]) : "undetermined",
            Subtype = decided ? Subtype(ranked[0]) : _subtype,
            ReasonCode = decided ? null : _reasonCode ?? "not_identifiable",
            D = _measures.Input.Activations.NNeurons,
            R = subspace?.Rank,
            NLine = _nLine,
            NRay = _nRay,
            Posterior = posterior,
            Set = set,
            Components = decided ? [new Component(ranked[0], 1)] : [],
            Reason = decided ? null : (explanation.Length == 0 ? "no measure speaks for one cause" : explanation),
            EstimatedFeatures = _nLine,
            EffectiveDimension = subspace?.ParticipationRatio,
            Calibration = _weights.Id,
        };
    }

    private List<Cause> PredictionSet(Cause[] ranked, Dictionary<string, double> posterior)
    {
        if (_reasonCode is "no_signal" or "too_few_samples")
            return [.. Causes.All];
        return SmallestSet(ranked.ToDictionary(cause => cause, cause => posterior[Causes.Id(cause)]));
    }

    /// <summary>The fewest causes that hold .95 of the posterior; causes that tie go in together.</summary>
    internal static List<Cause> SmallestSet(IReadOnlyDictionary<Cause, double> posterior)
    {
        var ranked = posterior.OrderByDescending(pair => pair.Value).ToArray();
        var mass = 0.0;
        var set = new List<Cause>();
        for (var i = 0; i < ranked.Length && (mass < 0.95 || ranked[i].Value > 0.999 * ranked[i - 1].Value); i++)
        {
            set.Add(ranked[i].Key);
            mass += ranked[i].Value;
        }
        return [.. set.Order()];
    }

    private string? Subtype(Cause cause) =>
        cause switch
        {
            Cause.Rotated => _subtype is "subspace" ? _subtype : null,
            Cause.Superposition => _subtype is "in_span" ? _subtype : null,
            Cause.Nonlinear => _subtype is "subspace" ? null : _subtype,
            _ => null,
        };
}
