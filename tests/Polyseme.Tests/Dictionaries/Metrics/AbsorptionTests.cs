using Polyseme.Dictionaries.Metrics;
using Polyseme.Numerics;

namespace Polyseme.Tests.Dictionaries.Metrics;

public sealed class AbsorptionTests
{
    // Axis 0 is the concept, in two rows of five. Each of four tokens has an axis of its own, and comes in one row of twenty-five, with the concept or without.
    // Tokens as common as that are too rare to count as main latents of their own (an F1 gain of .023, below .03).
    private const int Tokens = 4,
        Width = 1 + Tokens;

    [Fact]
    public void Latents_that_speak_for_the_concept_in_their_own_rows_absorb_it()
    {
        // Where concept and token meet, one latent writes both and the concept's own is silent.
        var directions = Matrix.FromRows([
            Row(0),
            .. Enumerable.Range(1, Tokens).Select(token => Row(0, token)),
            .. Enumerable.Range(1, Tokens).Select(token => Row(token)),
        ]);
        var absorption = Measure(
            directions,
            (concept, token) =>
            {
                var latents = new float[1 + (2 * Tokens)];
                if (token == 0)
                    latents[0] = concept ? 1 : 0;
                else
                    latents[concept ? token : Tokens + token] = 1;
                return latents;
            }
        );
        Assert.Equal([0], absorption.MainLatents);
        Assert.True(absorption.ProbeF1 > 0.95, $"{absorption.ProbeF1}");
        // Four tokens in twenty-five of the concept's rows.
        Assert.InRange(absorption.Full!.Value, 0.1, 0.22);
        Assert.Equal(absorption.Full!.Value, absorption.Fraction!.Value, 1e-12);
    }

    [Fact]
    public void A_dictionary_with_a_latent_for_each_feature_absorbs_nothing()
    {
        var absorption = Measure(
            Matrix.FromRows([.. Enumerable.Range(0, Width).Select(axis => Row(axis))]),
            (concept, token) =>
            {
                var latents = new float[Width];
                latents[0] = concept ? 1 : 0;
                if (token > 0)
                    latents[token] = 1;
                return latents;
            }
        );
        Assert.Equal([0], absorption.MainLatents);
        Assert.Equal((0.0, 0.0), (absorption.Full!.Value, absorption.Fraction!.Value));
    }

    [Fact]
    public void A_concept_that_its_probe_cannot_read_is_not_measured()
    {
        var data = SparseProbeTests.Data(Width, (values, _, random) => values[0] = (float)random.NextNormal());
        var absorption = Absorption.Measure("noise", data, data, Matrix.Identity(Width));
        Assert.Null(absorption.Fraction);
        Assert.Null(absorption.Full);
    }

    [Theory]
    [InlineData(1, 0.5, 0.0, 0, false)] // the main latent carries everything
    [InlineData(0, 0, 1.0, 1, true)] // silent, and the absorber carries it
    [InlineData(0.5, 0, 0.5, 0.5, false)] // half each: a fraction, but not full
    [InlineData(0, 0, 0.3, 0, false)] // too small a share
    public void One_row_follows_the_definition(double main, double other, double absorber, double fraction, bool full)
    {
        // Cosines 1, 0 and 1 with the probe: only the last may absorb.
        var found = Absorption.OfRow([1, 0], [(float)main, (float)other, (float)absorber], [1, 0], [1, 0, 1], [0]);
        Assert.Equal(fraction, found.Fraction, 1e-12);
        Assert.Equal(full, found.Full);
    }

    private static double[] Row(params int[] axes) => [.. Enumerable.Range(0, Width).Select(axis => axes.Contains(axis) ? 1.0 : 0)];

    /// <summary>Encodes rows from what is in them: whether the concept is, and which token, 0 for none.</summary>
    private static Absorption Measure(Matrix directions, Func<bool, int, float[]> encode)
    {
        var latents = new List<float>();
        var inputs = SparseProbeTests.Data(
            Width,
            (values, concept, random) =>
            {
                var token = random.NextDouble() < 0.16 ? 1 + random.NextInt(Tokens) : 0;
                values[0] = concept ? 1 : 0;
                if (token > 0)
                    values[token] = 1;
                for (var j = 0; j < Width; j++)
                    values[j] += 0.02f * (float)random.NextNormal();
                latents.AddRange(encode(concept, token));
            },
            rows: 4000
        );
        var coded = inputs with { Values = new FloatMatrix(inputs.Labels.Length, directions.Rows, [.. latents]) };
        return Absorption.Measure("concept", inputs, coded, directions);
    }
}
