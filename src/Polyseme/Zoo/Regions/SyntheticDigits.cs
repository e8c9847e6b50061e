using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>Digits of eight by eight pixels: a drawn shape of each, its contrast varied, with noise on every pixel.</summary>
internal static class SyntheticDigits
{
    private const double Noise = 0.3;

    /// <summary>Eight rows of eight pixels for each digit, a set bit is ink; the highest bit is the left pixel.</summary>
    private static readonly byte[][] s_shapes =
    [
        [0x3C, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x3C],
        [0x18, 0x38, 0x18, 0x18, 0x18, 0x18, 0x18, 0x7E],
        [0x3C, 0x66, 0x06, 0x0C, 0x18, 0x30, 0x60, 0x7E],
        [0x3C, 0x66, 0x06, 0x1C, 0x06, 0x06, 0x66, 0x3C],
        [0x0C, 0x1C, 0x2C, 0x4C, 0x7E, 0x0C, 0x0C, 0x0C],
        [0x7E, 0x60, 0x60, 0x7C, 0x06, 0x06, 0x66, 0x3C],
        [0x1C, 0x30, 0x60, 0x7C, 0x66, 0x66, 0x66, 0x3C],
        [0x7E, 0x06, 0x06, 0x0C, 0x0C, 0x18, 0x18, 0x18],
        [0x3C, 0x66, 0x66, 0x3C, 0x66, 0x66, 0x66, 0x3C],
        [0x3C, 0x66, 0x66, 0x66, 0x3E, 0x06, 0x0C, 0x38],
    ];

    /// <summary>Images and their digits, each digit equally often. Shape: <c>[count, 64]</c>.</summary>
    public static (Matrix Images, int[] Digits) Sample(int count, RandomStream random)
    {
        var images = new Matrix(count, 64);
        var digits = new int[count];
        for (var row = 0; row < count; row++)
        {
            digits[row] = row % 10;
            var contrast = 0.7 + (0.6 * random.NextDouble());
            for (var pixel = 0; pixel < 64; pixel++)
            {
                var ink = (s_shapes[digits[row]][pixel / 8] >> (7 - (pixel % 8))) & 1;
                // Centred, so that an untrained network's boundaries lie among the images.
                images[row, pixel] = (contrast * (ink - 0.4)) + (Noise * random.NextNormal());
            }
        }
        return (images, digits);
    }
}
