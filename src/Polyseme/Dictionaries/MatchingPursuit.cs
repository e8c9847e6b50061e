using TorchSharp;

namespace Polyseme.Dictionaries;

/// <summary>
/// Matching pursuit of many rows at once: i = argmax r·d_i, f_i += v, r −= v·d_i with v = max(r·d_i, 0), from r = x − b on. A latent may be chosen
/// more than once.
/// </summary>
/// <remarks>
/// Mallat and Zhang 1993, "Matching pursuits with time-frequency dictionaries", with directions of unit norm and values of either sign; Costa et al. 2025
/// (arXiv 2506.03093) for sparse autoencoders. Here as SAELens 6.49 has it: values are positive, and rows of W_dec are taken as they are. Where their
/// norm is above √2, what is left grows.
/// </remarks>
internal static class MatchingPursuit
{
    /// <summary>f. Differentiates through the values, with the choices as they are.</summary>
    /// <param name="rows">x − b. Shape: <c>[n_rows, d_in]</c>.</param>
    /// <param name="directions">W_dec. Shape: <c>[n_latents, d_in]</c>.</param>
    /// <param name="settings">When a row is done.</param>
    /// <param name="multiply">The product that directions are chosen by; <c>null</c> = in the rows' precision.</param>
    /// <returns>Shape: <c>[n_rows, n_latents]</c>.</returns>
    public static torch.Tensor Encode(
        torch.Tensor rows,
        torch.Tensor directions,
        LatentActivation.MatchingPursuit settings,
        Func<torch.Tensor, torch.Tensor, torch.Tensor>? multiply = null
    )
    {
        using var scope = torch.NewDisposeScope();
        long nRows = rows.shape[0],
            nLatents = directions.shape[0];
        var latents = torch.zeros(nRows * nLatents, dtype: rows.dtype, device: rows.device); // [n_rows · n_latents]
        var transposed = directions.detach().t();
        var (residual, first) = (rows.alias(), torch.arange(nRows, device: rows.device) * nLatents); // of the rows that are not done
        for (var step = 0; step < (settings.MaxIterations ?? rows.shape[1]) && residual.shape[0] > 0; step++)
        {
            // What a step leaves behind goes at its end: as many steps as columns would not fit otherwise.
            using var inStep = torch.NewDisposeScope();
            using var left = residual;
            using var starts = first;
            var chosen = Choose(left.detach(), transposed, multiply ?? torch.mm);
            var direction = directions.index_select(0, chosen);
            var value = (left * direction).sum(1).relu();
            var places = starts + chosen;
            var going = value.detach() > 0; // else the next step would be this one again
            if (settings.StopOnDuplicateSupport)
                going &= latents.detach().index_select(0, places) == 0;
            latents.index_add_(0, places, value, 1);
            var next = left - (value.unsqueeze(1) * direction);
            if (settings.ResidualThreshold > 0)
                going &= next.detach().norm(1) >= settings.ResidualThreshold;
            var on = going.nonzero().squeeze(1);
            residual = next.index_select(0, on).MoveToOuterDisposeScope();
            first = starts.index_select(0, on).MoveToOuterDisposeScope();
        }
        return latents.reshape(nRows, nLatents).MoveToOuterDisposeScope();
    }

    private static torch.Tensor Choose(
        torch.Tensor residual,
        torch.Tensor transposed,
        Func<torch.Tensor, torch.Tensor, torch.Tensor> multiply
    )
    {
        using var scope = torch.NewDisposeScope();
        return multiply(residual, transposed).argmax(1).MoveToOuterDisposeScope();
    }
}
