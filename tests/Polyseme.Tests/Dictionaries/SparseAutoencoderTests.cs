using Polyseme.Dictionaries;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Tests.Dictionaries;

/// <summary>Two inputs, three latents, numbers that are exact in binary: every expected value below was worked out by hand.</summary>
public sealed class SparseAutoencoderTests
{
    // u = W_enc·(x − b_dec), z = u + b_enc for the rows below:
    //   row 0: x − b = ( 1,    2  ): u = ( 2,     2,   −0.5 ), z = ( 2.5,   1,   −0.25 )
    //   row 1: x − b = (−0.5, −0.5): u = (−0.75, −0.5,  0.375), z = (−0.25, −1.5,  0.625)
    //   row 2: x − b = ( 0.5,  0  ): u = ( 0.5,   0,   −0.5 ), z = ( 1,    −1,   −0.25 )
    //   row 3: x − b = ( 0,    1  ): u = ( 0.5,   1,    0.25), z = ( 1,     0,    0.5 )
    private static readonly float[] Rows = [1.5f, 1.5f, 0, -1, 1, -0.5f, 0.5f, 0.5f];

    [Fact]
    public void Relu_passes_what_is_positive()
    {
        var dictionary = Tiny.Of(new LatentActivation.Relu());
        Equal([2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0.5f], Encode(dictionary, Rows));
        // f·W_dec + b_dec with W_dec rows (2, 0), (0, 1), (3, 4) and b_dec = (0.5, −0.5)
        Equal([5.5f, 0.5f, 2.375f, 2, 2.5f, -0.5f, 4, 1.5f], Reconstruct(dictionary, Rows));
    }

    [Fact]
    public void JumpRelu_wants_strictly_more_than_its_threshold()
    {
        var dictionary = Tiny.Of(new LatentActivation.JumpRelu([1, 0.5f, 0.25f]));
        // Rows 2 and 3 have z = 1 = θ at the first latent.
        Equal([2.5f, 1, 0, 0, 0, 0.625f, 0, 0, 0, 0, 0, 0.5f], Encode(dictionary, Rows));
    }

    [Fact]
    public void JumpRelu_below_zero_is_a_relu()
    {
        var dictionary = Tiny.Of(new LatentActivation.JumpRelu([-1, -1, -1]));
        Equal(Encode(Tiny.Of(new LatentActivation.Relu()), Rows), Encode(dictionary, Rows));
    }

    [Fact]
    public void TopK_keeps_the_largest_and_only_if_positive()
    {
        Equal([2.5f, 0, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0], Encode(Tiny.Of(new LatentActivation.TopK(1)), Rows));
        Equal([2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0.5f], Encode(Tiny.Of(new LatentActivation.TopK(3)), Rows));
    }

    [Fact]
    public void TopK_that_rescales_selects_by_what_a_latent_contributes()
    {
        var dictionary = Tiny.Of(new LatentActivation.TopK(1, RescaleByDecoderNorm: true));
        // Decoder norms 2, 1, 5: in row 3 the third latent's 0.5 · 5 beats the first one's 1 · 2.
        Equal([5, 0, 0, 0, 0, 3.125f, 2, 0, 0, 0, 0, 2.5f], Encode(dictionary, Rows));
        Equal([5.5f, -0.5f, 2.375f, 2, 2.5f, -0.5f, 2, 1.5f], Reconstruct(dictionary, Rows));
    }

    [Fact]
    public void BatchTopK_selects_over_all_rows_together()
    {
        // Two rows' worth of k = 1: 2.5 and 1 of row 0 win; 0.625 of row 1 does not.
        Equal([2.5f, 1, 0, 0, 0, 0], Encode(Tiny.Of(new LatentActivation.BatchTopK(1)), Rows[..4]));
        Equal([2.5f, 0, 0, 0, 0, 0], Encode(Tiny.Of(new LatentActivation.BatchTopK(0.5)), Rows[..4]));
    }

    [Fact]
    public void Gated_takes_its_magnitude_from_elsewhere()
    {
        var dictionary = Tiny.Of(new LatentActivation.Gated([0.25f, -0.5f, 1], [0, MathF.Log(2), 0]));
        // Row 0: magnitudes (2 + .25, 2·2 − .5, −.5 + 1), the third gate shut. Row 1: (·, ·, .375 + 1). Row 3: z = 0 does not open a gate.
        Equal([2.25f, 3.5f, 0, 0, 0, 1.375f, 0.75f, 0, 0, 0.75f, 0, 1.25f], Encode(dictionary, Rows));
    }

    [Fact]
    public void Gated_is_shut_off_by_a_negative_magnitude()
    {
        var dictionary = Tiny.Of(new LatentActivation.Gated([-3, -3, -3], [0, 0, 0]));
        Equal(new float[12], Encode(dictionary, Rows));
    }

    [Fact]
    public void ProLu_does_not_shift_what_it_lets_through()
    {
        // Row 2: u_1 = 0 is not positive. Row 3: u_1 = 1, but z_1 = 0.
        Equal([2, 2, 0, 0, 0, 0.375f, 0.5f, 0, 0, 0.5f, 0, 0.25f], Encode(Tiny.Of(new LatentActivation.ProLu()), Rows));
    }

    [Fact]
    public void GroupMax_keeps_one_of_each_run_of_latents()
    {
        // z = (x0, x1, −x0, x0 + x1): groups (0, 1) and (2, 3).
        var dictionary = new SparseAutoencoder(
            new LatentActivation.GroupMax(2),
            new FloatMatrix(4, 2, [1, 0, 0, 1, -1, 0, 1, 1]),
            new float[4],
            new FloatMatrix(4, 2, new float[8]),
            new float[2]
        );
        Equal([0, 2, 0, 3, 0, 0, 1, 0], Encode(dictionary, [1, 2, -1, -2]));
    }

    [Fact]
    public void Layer_norm_is_undone_with_the_rows_own_mean_and_deviation()
    {
        var dictionary = Tiny.Of(new LatentActivation.Relu()) with { Normalisation = RowNormalisation.LayerNorm };
        // (1, 3): mean 2, deviation √2 with n − 1. Normalised (−s, s), s = 1/(√2 + 1e-5).
        double sd = Math.Sqrt(2),
            s = 1 / (sd + 1e-5);
        double c0 = -s - 0.5,
            c1 = s + 0.5;
        double[] z = [c0 + (0.5 * c1) + 0.5, c1 - 1, -c0 + (0.25 * c1) + 0.25];
        double[] f = [Math.Max(z[0], 0), Math.Max(z[1], 0), Math.Max(z[2], 0)];
        Equal([(float)f[0], (float)f[1], (float)f[2]], Encode(dictionary, [1, 3]), 1e-6f);
        Equal(
            [(float)((((2 * f[0]) + (3 * f[2]) + 0.5) * sd) + 2), (float)(((f[1] + (4 * f[2]) - 0.5) * sd) + 2)],
            Reconstruct(dictionary, [1, 3]),
            1e-5f
        );
    }

    [Fact]
    public void Constant_norm_sees_the_direction_of_a_row_only()
    {
        var dictionary = Tiny.Of(new LatentActivation.Relu()) with { Normalisation = RowNormalisation.ConstantNorm };
        Equal(Encode(dictionary, [3, 4]), Encode(dictionary, [30, 40]), 1e-6f);
        var once = Reconstruct(dictionary, [3, 4]);
        Equal([10 * once[0], 10 * once[1]], Reconstruct(dictionary, [30, 40]), 1e-4f);
        // (0.6, 0.8)·√2 is what it sees.
        Equal(
            Encode(Tiny.Of(new LatentActivation.Relu()), [0.6f * MathF.Sqrt(2), 0.8f * MathF.Sqrt(2)]),
            Encode(dictionary, [3, 4]),
            1e-6f
        );
        Assert.All(Reconstruct(dictionary, [0, 0]), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void A_skip_path_adds_a_linear_map_of_the_row_itself()
    {
        var dictionary = new SparseAutoencoder(
            new LatentActivation.Relu(),
            Tiny.Encoder(),
            Tiny.EncoderBias(),
            Tiny.Decoder(),
            Tiny.DecoderBias(),
            new FloatMatrix(2, 2, [1, 2, 0, -1])
        );
        Assert.False(dictionary.SubtractDecoderBias);
        // Nothing is subtracted, so (1, 2) encodes as row 0 above; W_skip·x = (5, −2).
        Equal([2.5f, 1, 0], Encode(dictionary, [1, 2]));
        Equal([10.5f, -1.5f], Reconstruct(dictionary, [1, 2]));
    }

    [Fact]
    public void A_transcoder_changes_the_width_and_subtracts_nothing()
    {
        var dictionary = new SparseAutoencoder(
            new LatentActivation.Relu(),
            Tiny.Encoder(),
            Tiny.EncoderBias(),
            new FloatMatrix(3, 1, [1, 10, 100]),
            [0.5f]
        );
        Assert.Equal((2, 1, 3), (dictionary.DIn, dictionary.DOut, dictionary.NLatents));
        Equal([13], Reconstruct(dictionary, [1, 2]));
    }

    [Fact]
    public void Shapes_that_disagree_are_refused()
    {
        SparseAutoencoder Make(LatentActivation activation) => Tiny.Of(activation);
        Assert.Throws<ArgumentException>(() => Make(new LatentActivation.TopK(4)));
        Assert.Throws<ArgumentException>(() => Make(new LatentActivation.TopK(0)));
        Assert.Throws<ArgumentException>(() => Make(new LatentActivation.GroupMax(2)));
        Assert.Throws<ArgumentException>(() => Make(new LatentActivation.JumpRelu([1, 2])));
        Assert.Throws<ArgumentException>(() => Make(new LatentActivation.Gated([1, 2, 3], [1, 2])));
        Assert.Throws<ArgumentException>(() => Encode(Make(new LatentActivation.Relu()), [1, 2, 3], width: 3));
    }

    private static float[] Encode(SparseAutoencoder dictionary, float[] rows, int width = 2)
    {
        using var scope = torch.NewDisposeScope();
        return dictionary.Encode(torch.tensor(rows).reshape(-1, width)).data<float>().ToArray();
    }

    private static float[] Reconstruct(SparseAutoencoder dictionary, float[] rows)
    {
        using var scope = torch.NewDisposeScope();
        return dictionary.Reconstruct(torch.tensor(rows).reshape(-1, 2)).data<float>().ToArray();
    }

    // Exact where everything is a short binary fraction; e^(ln 2) is not.
    private static void Equal(float[] expected, float[] found, float tolerance = 1e-6f)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - found[i]) <= tolerance, $"entry {i}: expected {expected[i]}, found {found[i]}");
    }
}

/// <summary>The weights of the examples, here and in the golden files.</summary>
internal static class Tiny
{
    public static FloatMatrix Encoder() => new(3, 2, [1, 0.5f, 0, 1, -1, 0.25f]);

    public static float[] EncoderBias() => [0.5f, -1, 0.25f];

    public static FloatMatrix Decoder() => new(3, 2, [2, 0, 0, 1, 3, 4]);

    public static float[] DecoderBias() => [0.5f, -0.5f];

    public static SparseAutoencoder Of(LatentActivation activation) => new(activation, Encoder(), EncoderBias(), Decoder(), DecoderBias());
}
