using CsCheck;
using Polyseme.Evidence;
using Polyseme.Numerics;

namespace Polyseme.Tests.Evidence;

public sealed class DimensionalityTests
{
    /// <summary>Closed forms are exact up to the rounding of a few dozen operations.</summary>
    private const double Rounding = 1e-12;

    public static TheoryData<string, double> ClosedForms { get; } =
        new()
        {
            { "orthogonal", 1 },
            { "digon", 1.0 / 2 },
            { "triangle", 2.0 / 3 },
            { "square", 1.0 / 2 },
            { "pentagon", 2.0 / 5 },
            { "hexagon", 1.0 / 3 },
            { "tetrahedron", 3.0 / 4 },
            { "octahedron", 1.0 / 2 },
            { "square antiprism", 3.0 / 8 },
            { "icosahedron", 1.0 / 4 },
        };

    [Theory]
    [MemberData(nameof(ClosedForms))]
    public void Regular_figures_have_their_closed_form(string figure, double expected)
    {
        foreach (var value in Dimensionality.PerFeature(Figure(figure)))
            Assert.Equal(expected, value!.Value, Rounding);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(9)]
    public void A_simplex_in_m_dimensions_gives_m_over_m_plus_one(int m)
    {
        // The vertices of a simplex: the unit vectors of m+1 dimensions less their mean span m dimensions.
        var simplex = Matrix.Identity(m + 1);
        for (var i = 0; i < simplex.Data.Length; i++)
            simplex.Data[i] -= 1.0 / (m + 1);
        Assert.All(Dimensionality.PerFeature(simplex), value => Assert.Equal((double)m / (m + 1), value!.Value, Rounding));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public void Copies_of_one_vector_share_one_dimension(int copies)
    {
        var w = Matrix.FromRows([.. Enumerable.Repeat(new[] { 0.3, -0.4, 1.2 }, copies)]);
        Assert.All(Dimensionality.PerFeature(w), value => Assert.Equal(1.0 / copies, value!.Value, Rounding));
    }

    [Fact]
    public void A_zero_vector_is_not_represented_and_takes_nothing_from_the_others()
    {
        Assert.Equal<double?>([1.0, null], Dimensionality.PerFeature(Matrix.FromRows([1, 0], [0, 0])));
    }

    [Fact]
    public void Dimensionality_equals_capacity() =>
        RandomDirections.Sample(w =>
        {
            // Scherlis et al. 2022: C_i = (W_i·W_i)² / Σ_j (W_i·W_j)², computed the plain way.
            var dimensionality = Dimensionality.PerFeature(w);
            for (var i = 0; i < w.Rows; i++)
            {
                double own = Dot(w.Row(i), w.Row(i)),
                    overlap = 0;
                for (var j = 0; j < w.Rows; j++)
                    overlap += Math.Pow(Dot(w.Row(i), w.Row(j)), 2);
                if (own >= Dimensionality.UnrepresentedSquaredNorm)
                    Assert.Equal(own * own / overlap, dimensionality[i]!.Value, 1e-9);
            }
        });

    [Fact]
    public void Sum_never_exceeds_hidden_size_and_each_value_stays_in_the_unit_interval() =>
        RandomDirections.Sample(w =>
        {
            Assert.True(Dimensionality.Total(w) <= Math.Min(w.Rows, w.Columns) + 1e-9);
            Assert.All(Dimensionality.PerFeature(w), value => Assert.InRange(value ?? 0, 0, 1 + 1e-12));
        });

    [Fact]
    public void Sum_equals_the_rank_for_a_tight_frame()
    {
        // The five vertices of a pentagon and an orthogonal digon: two tight frames in 2 + 1 dimensions.
        var w = new Matrix(7, 3);
        var pentagon = Figure("pentagon");
        for (var i = 0; i < 5; i++)
            (w[i, 0], w[i, 1]) = (pentagon[i, 0], pentagon[i, 1]);
        (w[5, 2], w[6, 2]) = (0.7, -0.7);
        Assert.Equal(3, Dimensionality.Total(w), Rounding);
    }

    [Fact]
    public void Dimensions_per_feature_is_hidden_size_over_squared_norm()
    {
        Assert.Equal(2.0 / 5, Dimensionality.PerRepresentedFeature(Figure("pentagon"))!.Value, Rounding);
        Assert.Null(Dimensionality.PerRepresentedFeature(new Matrix(3, 2)));
    }

    private static Gen<Matrix> RandomDirections { get; } =
        from rows in Gen.Int[1, 12]
        from columns in Gen.Int[1, 8]
        from values in Gen.Double[-2, 2].Array[rows * columns]
        select new Matrix(rows, columns, values);

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static Matrix Polygon(int corners) =>
        Matrix.FromRows([
            .. Enumerable.Range(0, corners).Select(k => new[] { Math.Cos(2 * Math.PI * k / corners), Math.Sin(2 * Math.PI * k / corners) }),
        ]);

    private static Matrix Figure(string name)
    {
        var golden = (1 + Math.Sqrt(5)) / 2;
        // The square antiprism with equal edges: two unit squares turned by 45°, at heights ±2^(-1/4)/… chosen so that the frame is tight (z² = ½).
        var z = Math.Sqrt(0.5);
        return name switch
        {
            "orthogonal" => Matrix.Identity(4),
            "digon" => Matrix.FromRows([1], [-1]),
            "triangle" => Polygon(3),
            "square" => Polygon(4),
            "pentagon" => Polygon(5),
            "hexagon" => Polygon(6),
            "tetrahedron" => Matrix.FromRows([1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]),
            "octahedron" => Matrix.FromRows([1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]),
            "square antiprism" => Matrix.FromRows([
                .. Enumerable.Range(0, 8).Select(k => new[] { Math.Cos(Math.PI * k / 4), Math.Sin(Math.PI * k / 4), k % 2 == 0 ? z : -z }),
            ]),
            "icosahedron" => Matrix.FromRows([
                [0, 1, golden],
                [0, 1, -golden],
                [0, -1, golden],
                [0, -1, -golden],
                [1, golden, 0],
                [1, -golden, 0],
                [-1, golden, 0],
                [-1, -golden, 0],
                [golden, 0, 1],
                [golden, 0, -1],
                [-golden, 0, 1],
                [-golden, 0, -1],
            ]),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such figure"),
        };
    }
}
