using System.Text.Json.Nodes;

namespace Polyseme.Dictionaries.Formats;

/// <summary>SAEDashboard's <c>batch-N.json</c>: what its page shows of some latents.</summary>
/// <remarks>Read from the code of SAEDashboard db4839a (neuronpedia_dashboard.py, neuronpedia_converter.py): Python's json, keys in this order.</remarks>
public sealed record SaeDashboardBatch
{
    /// <summary>The model's name.</summary>
    public required string ModelId { get; init; }

    /// <summary>The layer.</summary>
    public required int Layer { get; init; }

    /// <summary>The name of the set of dictionaries.</summary>
    public required string SaeSet { get; init; }

    /// <summary>What tells dictionaries of one set and layer apart; <c>null</c> where nothing has to.</summary>
    public string? SaeIdSuffix { get; init; }

    /// <summary>Prompts that the activations come from.</summary>
    public required int Prompts { get; init; }

    /// <summary>Tokens of each.</summary>
    public required int TokensInPrompt { get; init; }

    /// <summary>The data set's name.</summary>
    public required string Dataset { get; init; }

    /// <summary>The latents.</summary>
    public required IReadOnlyList<LatentReport> Latents { get; init; }

    /// <summary>The file's text.</summary>
    /// <exception cref="ArgumentException">A number is NaN or infinite.</exception>
    public string Text() =>
        ToolJson.Write(
            new JsonObject
            {
                ["model_id"] = ModelId,
                ["layer"] = Layer,
                ["sae_set"] = SaeSet,
                ["sae_id_suffix"] = SaeIdSuffix,
                ["features"] = new JsonArray([.. Latents.Select(Feature)]),
            },
            JsonDialect.Python
        );

    private JsonObject Feature(LatentReport latent) =>
        new()
        {
            ["feature_index"] = latent.Index,
            ["neuron_alignment_indices"] = ReportNodes.Of(latent.AlignedNeurons),
            ["neuron_alignment_values"] = Rounded(latent.AlignedWeights),
            ["neuron_alignment_l1"] = Rounded(latent.AlignedShares),
            ["correlated_neurons_indices"] = ReportNodes.Of(latent.CorrelatedNeurons),
            ["correlated_neurons_l1"] = Rounded(latent.CorrelatedNeuronsCosine),
            ["correlated_neurons_pearson"] = Rounded(latent.CorrelatedNeuronsPearson),
            ["correlated_features_indices"] = ReportNodes.Of(latent.CorrelatedLatents),
            ["correlated_features_l1"] = Rounded(latent.CorrelatedLatentsCosine),
            ["correlated_features_pearson"] = Rounded(latent.CorrelatedLatentsPearson),
            ["neg_str"] = ReportNodes.Of(latent.NegativeLogits.Select(entry => entry.Token)),
            ["neg_values"] = Rounded(latent.NegativeLogits.Select(entry => entry.Logit)),
            ["pos_str"] = ReportNodes.Of(latent.PositiveLogits.Select(entry => entry.Token)),
            ["pos_values"] = Rounded(latent.PositiveLogits.Select(entry => entry.Logit)),
            ["frac_nonzero"] = latent.FractionActive,
            ["freq_hist_data_bar_values"] = Rounded(latent.ActivationHistogram.Select(bar => bar.Middle)),
            ["freq_hist_data_bar_heights"] = Rounded(latent.ActivationHistogram.Select(bar => bar.Height)),
            ["logits_hist_data_bar_heights"] = Rounded(latent.LogitHistogram.Select(bar => bar.Height)),
            ["logits_hist_data_bar_values"] = Rounded(latent.LogitHistogram.Select(bar => bar.Middle)),
            ["n_prompts_total"] = Prompts,
            ["n_tokens_in_prompt"] = TokensInPrompt,
            ["dataset"] = Dataset,
            ["decoder_weights_dist"] = ReportNodes.Of(latent.DecoderWeightsByHead),
            ["activations"] = new JsonArray([.. latent.Examples.Select(Activation)]),
            ["vector"] = ReportNodes.Of(latent.Direction),
        };

    private static JsonObject Activation(ActivationExample example)
    {
        var activation = new JsonObject
        {
            ["bin_min"] = example.BinMin,
            ["bin_max"] = example.BinMax,
            ["bin_contains"] = example.BinContains,
            ["tokens"] = ReportNodes.Of(example.Tokens),
            ["values"] = Rounded(example.Values),
            ["qualifying_token_index"] = example.QualifyingToken,
        };
        if (example.Attribution is { } attribution)
        {
            activation["dfa_values"] = ReportNodes.Of(attribution.Values);
            activation["dfa_maxValue"] = attribution.Largest;
            activation["dfa_targetIndex"] = attribution.Target;
        }
        return activation;
    }

    /// <summary>To three decimals, half to even: numpy's round.</summary>
    private static JsonArray Rounded(IEnumerable<double> values) =>
        ReportNodes.Of(values.Select(value => Math.Round(value * 1000, MidpointRounding.ToEven) / 1000));
}
