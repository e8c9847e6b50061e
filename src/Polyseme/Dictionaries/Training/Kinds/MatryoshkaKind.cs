using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>How Matryoshka adds up its prefixes.</summary>
public enum MatryoshkaVariant
{
    /// <summary>The sum of the losses of all prefixes, the whole dictionary included.</summary>
    SaeLens,

    /// <summary>The mean of the losses of all prefixes each weighted 1/n, so that 1/n counts twice.</summary>
    DictionaryLearning,

    /// <summary>The mean of the losses of all prefixes.</summary>
    Mean,
}

/// <summary>BatchTopK where the first latents alone have to reconstruct too, at several widths.</summary>
/// <remarks>Bussmann et al. 2025 (arXiv 2503.17547), "Learning multi-level features with Matryoshka sparse autoencoders".</remarks>
public sealed record MatryoshkaKind : BatchTopKBase
{
    /// <summary>Widths of the prefixes, rising; the whole dictionary is always one and need not be named. Empty = 1/16, 1/8, 1/4 and 1/2 of it.</summary>
    public IReadOnlyList<int> Widths { get; init; } = [];

    /// <summary>Whose sum.</summary>
    public MatryoshkaVariant Sum { get; init; } = MatryoshkaVariant.Mean;

    internal override string Name => "matryoshka";

    internal override void Check(DictionaryConfig config)
    {
        base.Check(config);
        var last = 0;
        foreach (var width in Widths)
        {
            if (width <= last || width > config.Latents)
                throw new ArgumentException(
                    $"widths are {string.Join(", ", Widths)}; they rise from 1 to at most {config.Latents}",
                    nameof(config)
                );
            last = width;
        }
    }

    private protected override torch.Tensor Reconstruction(LossInput input, torch.Tensor latents, torch.Tensor reconstruction)
    {
        var loss = input.SquaredError(reconstruction);
        var widths = Prefixes(input.Config.Latents);
        foreach (var width in widths)
        {
            var prefix = torch.mm(latents.narrow(1, 0, width), input.Weights.Decoder.narrow(0, 0, width)) + input.Weights.DecoderBias;
            if (input.Weights.Skip is { } skip)
                prefix = prefix + torch.mm(input.Inputs, skip.t());
            loss = loss + input.SquaredError(prefix);
        }
        var n = widths.Length + 1.0;
        return Sum switch
        {
            MatryoshkaVariant.SaeLens => loss,
            MatryoshkaVariant.Mean => loss / n,
            MatryoshkaVariant.DictionaryLearning => loss / (n * n),
            _ => throw new InvalidOperationException($"no such sum: {Sum}"),
        };
    }

    private int[] Prefixes(int latents) =>
        Widths.Count > 0
            ? [.. Widths.Where(width => width < latents)]
            : [.. new[] { latents / 16, latents / 8, latents / 4, latents / 2 }.Where(width => width > 0).Distinct()];
}
