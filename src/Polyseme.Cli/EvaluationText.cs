using Polyseme.Dictionaries.Metrics;

namespace Polyseme.Cli;

/// <summary>An evaluation as tables for people.</summary>
internal static class EvaluationText
{
    public static void Write(Terminal terminal, DictionaryEvaluation evaluation)
    {
        var table = new TextTable("measure", ">value", "");
        void Add(string name, double? value, string note = "")
        {
            if (value is { } number)
                table.Add(name, Number(number), note);
        }
        var (rows, fired) = (evaluation.Reconstruction, evaluation.Activity);
        table.Add("dictionary", evaluation.Kind, $"{evaluation.DIn} -> {evaluation.NLatents}");
        table.Add("rows", $"{rows.NRows}", "");
        Add("explained variance", rows.ExplainedVariance, "the right one: 1 - E|e|^2 / Var(x)");
        Add("FVU", rows.Fvu, "1 - the above");
        Add("EV, SAEBench 0.6.0", rows.ExplainedVarianceSaeBench060, "changes with the unit; to compare with that tool only");
        Add("EV, legacy per row", rows.ExplainedVarianceLegacy, "to compare with SAELens up to 6, and SAEBench's paper");
        Add("EV, dictionary_learning", rows.ExplainedVarianceDictionaryLearning, "forgives a constant error");
        Add("R2, overcomplete", rows.R2Overcomplete, "counts the neurons' means as explained");
        Add("FVU, sparsify", rows.FvuSparsify, $"mean over batches of {rows.BatchRows}");
        Add("NMSE, OpenAI", rows.NormalisedErrorOpenAi, "not centred");
        Add("MSE of an entry", rows.MeanSquaredError);
        Add("cosine", rows.Cosine);
        Add("l2 ratio", rows.L2Ratio, "1 is right");
        Add("reconstruction bias", rows.RelativeReconstructionBias, "gamma; below 1 is shrinkage");
        Add("L0", fired.L0);
        Add("L1", fired.L1);
        table.Add("dead latents", $"{fired.Dead}", $"of {evaluation.NLatents}");
        Add("description length", evaluation.DescriptionBits, "bits of a row");
        Add("R2(error | x)", evaluation.DarkMatter?.ErrorR2, "what the error owes to the input, linearly");
        Add("R2(|error|^2 | x)", evaluation.DarkMatter?.ErrorNormR2);
        Add("encoder-decoder cosine", evaluation.EncoderDecoderCosine);
        Add("neuron alignment", evaluation.Alignment.Mean, $"random directions {Number(evaluation.Alignment.MeanOfRandomDirections)}");
        if (evaluation.HeldOut is { } gap)
            Add("FVU, held out less train", gap.Gap, $"train {(gap.TrainFvu is { } fvu ? Number(fvu) : "none")}");
        if (evaluation.LossRecovered is { } loss)
        {
            Add(
                "CE loss recovered",
                loss.CrossEntropyScore,
                $"against zeros; model {Number(loss.CrossEntropy)} nats, with the dictionary {Number(loss.Reconstructed.CrossEntropy)}, zeros {Number(loss.Zero.CrossEntropy)}"
            );
            Add("CE loss recovered, of the mean", loss.CrossEntropyScoreOfMean, $"against the mean, {Number(loss.Mean.CrossEntropy)} nats");
            Add(
                "KL recovered",
                loss.DivergenceScore,
                $"against zeros; KL {Number(loss.Reconstructed.Divergence)}, zeros {Number(loss.Zero.Divergence)}"
            );
            Add("KL recovered, of the mean", loss.DivergenceScoreOfMean, $"against the mean, KL {Number(loss.Mean.Divergence)}");
        }
        if (evaluation.Stability is { } stability)
            Add("MMCS between seeds", stability.MeanMmcs, $"least {Number(stability.LeastMmcs)}, of {stability.Dictionaries} dictionaries");
        if (evaluation.Recovery is { } recovery)
        {
            Add("MMCS truth to dictionary", recovery.MmcsTruthToDictionary, recovery.UpToSign ? "up to sign" : "");
            Add("MMCS dictionary to truth", recovery.MmcsDictionaryToTruth, recovery.UpToSign ? "up to sign" : "");
            Add("MCC", recovery.Mcc, "best one-to-one matching");
            Add("uniqueness", recovery.Uniqueness);
            table.Add(
                "recovered",
                $"{recovery.Recovered}",
                $"of {recovery.NearestCosine.Length}, cosine above {DirectionRecovery.RecoveredAbove}"
            );
        }
        if (evaluation.Detection is { } detection)
        {
            Add("precision", detection.Precision);
            Add("recall", detection.Recall);
            Add("F1", detection.F1);
            Add("false-positive share", detection.FalsePositiveShare);
            Add("true L0", detection.TrueL0);
        }
        Add("mean absorption", evaluation.MeanAbsorption);
        table.Write(terminal);
        if (evaluation.Probes is not { Count: > 0 } probes)
            return;
        terminal.Out.WriteLine();
        var concepts = new TextTable("concept", ">k", ">F1 of latents", ">F1 of neurons", "latents");
        foreach (var concept in probes)
        foreach (var probe in concept.Latents)
        {
            var neurons = concept.Neurons.FirstOrDefault(other => other.K == probe.K);
            concepts.Add(
                concept.Concept,
                $"{probe.K}",
                Number(probe.Score.F1),
                neurons is null ? "" : Number(neurons.Score.F1),
                string.Join(' ', probe.Columns)
            );
        }
        concepts.Write(terminal);
    }

    private static string Number(double value) => value.ToString("G4");
}
