using System.Text.Json.Nodes;
using Polyseme.Activations;

namespace Polyseme.Dictionaries.Formats;

/// <summary>A <c>.pt</c> file of openai/sparse_autoencoder: a state dict with <c>pre_bias</c>; its TopK models normalise each row first.</summary>
/// <remarks>Read from the code of openai/sparse_autoencoder 4965b94 (model.py).</remarks>
internal sealed class OpenAiFormat : DictionaryFormat
{
    public override string Name => "openai";

    public override string Summary => "OpenAI's sparse_autoencoder: a .pt file with pre_bias; ReLU and TopK";

    public override string WhyNotWritten => "it is a pickle, which is only read; write saelens or polyseme";

    internal override bool Recognises(string path) =>
        File.Exists(path) && TorchFile.IsTorchFile(path) && TorchFile.Open(path) is { } file && file.Find("pre_bias") is not null;

    public override SparseAutoencoder Read(string path)
    {
        var file = TorchFile.Open(path);
        var tensors = new DictionaryTensors(file);
        var (dIn, latents) = (tensors.Sizes("encoder.weight").Columns, tensors.Sizes("encoder.weight").Rows);
        const string fits = "as encoder.weight says";
        var activation = Text("activation");
        var isTopK = activation == "TopK";
        return activation is "ReLU" or "TopK"
            ? Assemble(
                path,
                () =>
                    new SparseAutoencoder(
                        isTopK ? new LatentActivation.TopK(K(latents)) : new LatentActivation.Relu(),
                        tensors.Matrix("encoder.weight", latents, dIn, fits),
                        tensors.Vector("latent_bias", latents, fits),
                        tensors.Matrix("decoder.weight", dIn, latents, fits).Transpose(),
                        tensors.Vector("pre_bias", dIn, fits)
                    )
                    {
                        SubtractDecoderBias = true,
                        Normalisation = isTopK ? RowNormalisation.LayerNorm : RowNormalisation.None,
                        Metadata = new JsonObject { ["openai"] = new JsonObject { ["activation"] = activation } },
                    }
            )
            : throw new InputException(
                path,
                "has an activation that is not read",
                activation is null ? "none" : InputException.Quote(activation),
                "'ReLU' or 'TopK'"
            );

        string? Text(string key) => file.Root.TryGetValue(key, out var value) ? value as string : null;

        int K(int most)
        {
            var state = file.Root.TryGetValue("activation_state_dict", out var value) ? value as PickleDictionary : null;
            if (state?.Values.GetValueOrDefault("postact_fn") is string after && after != "ReLU")
                throw new InputException(path, "has a TopK whose postact_fn is not read", InputException.Quote(after), "'ReLU'");
            return state?.Values.GetValueOrDefault("k") is long k and >= 1 && k <= most
                ? (int)k
                : throw new InputException(
                    path,
                    "has a TopK without a k that fits",
                    expected: $"activation_state_dict with k from 1 to {most}"
                );
        }
    }
}
