using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Polyseme.Activations;

namespace Polyseme.Dictionaries.Formats;

/// <summary>
/// A trainer's folder of dictionary_learning: <c>ae.pt</c>, a state dict, with <c>config.json</c> beside it; or its backup, which holds the optimiser too.
/// </summary>
/// <remarks>Read from the code of dictionary_learning 60ec6bf (dictionary.py, training.py, trainers/*.py).</remarks>
internal sealed class DictionaryLearningFormat : DictionaryFormat
{
    private const string WeightsName = "ae.pt";
    private const string ConfigName = "config.json";
    private const string FromWeights = "as the encoder's weights say";

    public override string Name => "dictionary-learning";

    public override string Summary => "dictionary_learning: a directory with ae.pt and config.json, or the .pt file alone";

    public override string WhyNotWritten => "it is a pickle, which is only read; write saelens or polyseme";

    internal override bool Recognises(string path) =>
        File.Exists(Path.Combine(path, WeightsName)) || (File.Exists(path) && TorchFile.IsTorchFile(path));

    public override SparseAutoencoder Read(string path)
    {
        var directory = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        var weights = Directory.Exists(path) ? Path.Combine(path, WeightsName) : path;
        var file = TorchFile.Open(weights);
        var configFile = Path.Combine(directory, ConfigName);
        var config = File.Exists(configFile) ? ToolConfig.Read(configFile) : null;
        // A backup holds the state dict under "ae", beside step, optimizer, config and norm_factor.
        var isBackup = file.Root.GetValueOrDefault("ae") is PickleDictionary;
        var tensors = new DictionaryTensors(file, isBackup ? "ae." : "");
        var kind = Kind(weights, config, tensors);
        return Assemble(
            weights,
            () =>
            {
                var dictionary = Read(kind, tensors, config);
                if (isBackup)
                    ScaleBiases(weights, dictionary, file);
                var metadata = new JsonObject { ["dictionary_learning"] = config?.Values.DeepClone() ?? new JsonObject() };
                if (config?.Section("trainer") is { } trainer)
                {
                    if (trainer.Values["lm_name"] is { } model)
                        metadata["model_name"] = model.DeepClone();
                    if (trainer.Values["submodule_name"] is { } place)
                        metadata["hook_name"] = place.DeepClone();
                }
                return dictionary with { Metadata = metadata };
            }
        );
    }

    /// <summary>The class of the dictionary: what the configuration says, which the tensors must bear out, or what the tensors say.</summary>
    private static string Kind(string path, ToolConfig? config, DictionaryTensors tensors)
    {
        var byTensors =
            tensors.Has("group_sizes") ? "MatryoshkaBatchTopKSAE"
            : tensors.Has("W_enc") ? "JumpReluAutoEncoder"
            : tensors.Has("r_mag") ? "GatedAutoEncoder"
            : tensors.Has("k") ? "AutoEncoderTopK"
            : tensors.Has("bias") ? "AutoEncoder"
            : tensors.Has("encoder.weight") ? "AutoEncoderNew"
            : throw new InputException(path, "is not a dictionary of dictionary_learning", hint: "its tensors are those of no known class");
        if (config?.Section("trainer")?.Text("dict_class") is not { } named)
            return byTensors == "AutoEncoderTopK"
                ? throw new InputException(
                    path,
                    "may be of class AutoEncoderTopK or BatchTopKSAE",
                    expected: $"{ConfigName} beside it, which says it",
                    hint: "the two have the same tensors and different meanings"
                )
                : byTensors;
        // Both have a k and the same tensors; only the name tells them apart.
        var fits = named == byTensors || (named == "BatchTopKSAE" && byTensors == "AutoEncoderTopK");
        return fits
            ? named
            : throw new InputException(
                path,
                "does not hold the class that config.json names",
                $"the tensors of {byTensors}",
                InputException.Quote(named)
            );
    }

    private static SparseAutoencoder Read(string kind, DictionaryTensors tensors, ToolConfig? config)
    {
        if (kind is "MatryoshkaBatchTopKSAE" or "JumpReluAutoEncoder")
        {
            var (width, n) = tensors.Sizes("W_enc");
            Agree(config, width, n);
            var jump = new LatentActivation.JumpRelu(
                kind == "JumpReluAutoEncoder" ? tensors.Vector("threshold", n, FromWeights) : Filled(n, tensors.Scalar("threshold"))
            );
            return new SparseAutoencoder(
                jump,
                tensors.Matrix("W_enc", width, n, FromWeights).Transpose(),
                tensors.Vector("b_enc", n, FromWeights),
                tensors.Matrix("W_dec", n, width, FromWeights),
                tensors.Vector("b_dec", width, FromWeights)
            )
            {
                SubtractDecoderBias = kind == "MatryoshkaBatchTopKSAE",
            };
        }
        var (latents, dIn) = tensors.Sizes("encoder.weight");
        Agree(config, dIn, latents);
        SparseAutoencoder Of(LatentActivation activation, string encoderBias, string decoderBias) =>
            new(
                activation,
                tensors.Matrix("encoder.weight", latents, dIn, FromWeights),
                tensors.Vector(encoderBias, latents, FromWeights),
                tensors.Matrix("decoder.weight", dIn, latents, FromWeights).Transpose(),
                tensors.Vector(decoderBias, dIn, FromWeights)
            );
        return kind switch
        {
            "AutoEncoder" => Of(new LatentActivation.Relu(), "encoder.bias", "bias"),
            "AutoEncoderNew" => Of(new LatentActivation.Relu(), "encoder.bias", "decoder.bias") with { SubtractDecoderBias = false },
            "GatedAutoEncoder" => Of(
                new LatentActivation.Gated(tensors.Vector("mag_bias", latents, FromWeights), tensors.Vector("r_mag", latents, FromWeights)),
                "gate_bias",
                "decoder_bias"
            ),
            "AutoEncoderTopK" => Of(new LatentActivation.TopK(tensors.Size("k", latents)), "encoder.bias", "b_dec"),
            // Used with its threshold; −1, which training starts from, lets every positive latent through, as there.
            "BatchTopKSAE" => Of(new LatentActivation.JumpRelu(Filled(latents, tensors.Scalar("threshold"))), "encoder.bias", "b_dec"),
            _ => throw new InvalidOperationException($"no reader for {kind}"),
        };
    }

    private static void Agree(ToolConfig? config, int width, int latents)
    {
        if (config?.Section("trainer") is not { } trainer)
            return;
        if (trainer.Size("activation_dim", width) != width)
            throw trainer.Wrong("activation_dim", $"{width}, the width of the encoder's weights");
        if (trainer.Size("dict_size", latents) != latents)
            throw trainer.Wrong("dict_size", $"{latents}, the latents of the encoder's weights");
    }

    /// <summary>
    /// Training divides rows by a constant and multiplies the biases by it when it saves (scale_biases); a backup is written before that.
    /// </summary>
    private static void ScaleBiases(string path, SparseAutoencoder dictionary, TorchFile file)
    {
        var scale = file.Root.GetValueOrDefault("norm_factor") switch
        {
            null => 1.0,
            long whole => whole,
            double number => number,
            PickleTensor => new DictionaryTensors(file).Scalar("norm_factor"),
            _ => double.NaN,
        };
        if (!(scale > 0 && double.IsFinite(scale)))
            throw new InputException(path, "has a norm_factor that cannot be used", expected: "a positive number");
        float[]?[] biases =
        [
            dictionary.EncoderBias,
            dictionary.DecoderBias,
            (dictionary.Activation as LatentActivation.Gated)?.MagnitudeBias,
            (dictionary.Activation as LatentActivation.JumpRelu)?.Threshold,
        ];
        foreach (var bias in biases)
            if (bias is not null)
                TensorPrimitives.Multiply(bias, (float)scale, bias);
    }

    private static float[] Filled(int length, double value)
    {
        var filled = new float[length];
        Array.Fill(filled, (float)value);
        return filled;
    }
}
