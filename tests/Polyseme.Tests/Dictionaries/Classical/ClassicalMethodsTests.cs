using Polyseme.Dictionaries.Classical;
using Polyseme.Dictionaries.Metrics;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;
using TorchSharp;

namespace Polyseme.Tests.Dictionaries.Classical;

public sealed class ClassicalMethodsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Pca_finds_the_axes_of_a_stretched_cloud_and_all_components_give_the_rows_back()
    {
        var random = new RandomStream(1, "cloud");
        var axes = NullData.Rotation(4, random);
        var scores = random.NormalMatrix(5000, 4);
        for (var i = 0; i < scores.Data.Length; i++)
            scores.Data[i] *= 4 >> (i % 4); // 4, 2, 1, 0
        var rows = Planted.Single(LinearAlgebra.Multiply(scores, axes));
        for (var i = 0; i < rows.Data.Length; i++)
            rows.Data[i] += 10;
        var all = new Pca().Fit(rows, null, Token).Dictionary;
        Assert.Equal(3, all.NLatents); // the fourth carries no variance
        Assert.True(Planted.Recovery(all, axes.SelectRows([0, 1, 2]), upToSign: true).NearestCosine.Min() > 0.998);
        Assert.True(Planted.Fvu(all, rows) < 1e-9);
        Assert.Equal(
            1.0 / 21,
            Planted.Fvu(
                new Pca { Components = 2 }
                    .Fit(rows, null, Token)
                    .Dictionary,
                rows
            ),
            0.005
        );
        Assert.Throws<ArgumentException>(() => new Pca { Components = 4 }.Fit(rows, null, Token));
    }

    [Fact]
    public void Pca_does_not_find_rotated_features_of_equal_variance_and_ica_does()
    {
        var rows = Planted.Single(PlantedLayers.Rotated(8000, 6));
        var truth = NullData.Rotation(6, new RandomStream(2, "planted/rotation"));
        Assert.True(Planted.Recovery(new Pca().Fit(rows, null, Token).Dictionary, truth, upToSign: true).Recovered <= 2);
        var ica = new FastIcaMethod().Fit(rows, null, Token);
        Assert.True(ica.Converged);
        Assert.True(Planted.Recovery(ica.Dictionary, truth, upToSign: true).NearestCosine.Min() > 0.99);
    }

    [Theory]
    [InlineData(FastIcaOrder.Symmetric)]
    [InlineData(FastIcaOrder.Deflation)]
    public void Fastica_undoes_a_mixing_and_gives_the_rows_back(FastIcaOrder order)
    {
        var (rows, truth) = Planted.Mixed(20_000, 8);
        var fit = new FastIcaMethod { Order = order }.Fit(rows, null, Token);
        Assert.True(fit.Converged);
        Assert.True(Planted.Recovery(fit.Dictionary, truth, upToSign: true).NearestCosine.Min() > 0.99);
        Assert.True(Planted.Fvu(fit.Dictionary, rows) < 1e-8);
        var latents = Planted.Latents(fit.Dictionary, rows);
        for (var c = 0; c < 8; c++)
            Assert.Equal(1, latents.Column(c).Average(value => value * value), 0.001);
    }

    [Fact]
    public void Fastica_finds_nothing_of_its_own_in_gaussian_rows()
    {
        var random = new RandomStream(3, "gaussian");
        var truth = NullData.Rotation(6, random);
        var rows = Planted.Single(LinearAlgebra.Multiply(random.NormalMatrix(10_000, 6), truth));
        var recovery = Planted.Recovery(new FastIcaMethod().Fit(rows, null, Token).Dictionary, truth, upToSign: true);
        Assert.True(recovery.Recovered < 6, $"{recovery.Recovered}");
        Assert.True(recovery.Mcc < 0.9, $"{recovery.Mcc}");
    }

    [Fact]
    public void Overcomplete_ica_finds_more_directions_than_dimensions_and_gives_the_rows_back()
    {
        var (rows, truth) = Planted.Superposed(10_000, 16, 8, 0.08);
        var fit = new OvercompleteIca { Latents = 16, Iterations = 200 }.Fit(rows, null, Token);
        Assert.True(fit.Curve[^1] < fit.Curve[0]);
        Assert.True(Planted.Fvu(fit.Dictionary, rows) < 1e-6);
        // Filters suppress nothing, so it finds fewer than sparse codes do; but far more than there is by chance.
        var recovery = Planted.Recovery(fit.Dictionary, truth, upToSign: true);
        var chance = Planted.Recovery(fit.Dictionary, PlantedLayers.Directions(16, 8, 99), upToSign: true);
        Assert.True(
            recovery.MmcsTruthToDictionary > chance.MmcsTruthToDictionary + 0.08 && recovery.Recovered > chance.Recovered + 2,
            $"{recovery.Recovered}, MMCS {recovery.MmcsTruthToDictionary}; chance {chance.Recovered}, {chance.MmcsTruthToDictionary}"
        );
    }

    [Fact]
    public void The_gradient_of_overcomplete_ica_is_that_of_autograd()
    {
        var method = new OvercompleteIca();
        using var scope = torch.NewDisposeScope();
        var z = torch.tensor(Planted.Single(new RandomStream(1, "z").NormalMatrix(50, 4)).Data, [50, 4]);
        var w = torch.tensor(Planted.Single(new RandomStream(1, "w").NormalMatrix(7, 4)).Data, [7, 4]).requires_grad_();
        var s = torch.mm(z, w.t());
        var error = (torch.mm(s, w) * (4.0 / 7)) - z;
        var loss = ((s * method.Sharpness).cosh().log().sum() / method.Sharpness) + (method.Reconstruction * error.square().sum());
        (loss / 50).backward();
        var (value, gradient) = method.Objective(z, w.detach());
        Assert.Equal((loss / 50).item<float>(), value, 1e-3);
        Assert.True((gradient - w.grad!).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void Nmf_finds_non_negative_parts_and_refuses_negative_rows()
    {
        var random = new RandomStream(7, "parts");
        var parts = new Matrix(5, 12);
        for (var i = 0; i < parts.Data.Length; i++)
            parts.Data[i] = random.NextDouble() < 0.4 ? random.NextDouble() : 0;
        var rows = Planted.Single(LinearAlgebra.Multiply(PlantedLayers.SparseFeatures(3000, 5, 0.3, 7), parts));
        var fit = new Nmf
        {
            Latents = 5,
            MaxIterations = 2000,
            Tolerance = 1e-8,
        }.Fit(rows, null, Token);
        Assert.True(
            Planted.Recovery(fit.Dictionary, parts).NearestCosine.Min() > 0.97,
            $"{Planted.Recovery(fit.Dictionary, parts).NearestCosine.Min()}"
        );
        Assert.All(fit.Dictionary.Directions.Data, value => Assert.True(value >= 0));
        Assert.All(Planted.Latents(fit.Dictionary, rows).Data, value => Assert.True(value >= 0));
        Assert.True(fit.Curve.Zip(fit.Curve.Skip(1)).All(pair => pair.Second <= pair.First + 1e-12));
        rows.Data[3] = -1;
        Assert.Contains(
            "not negative",
            Assert.Throws<ArgumentException>(() => new Nmf().Fit(rows, null, Token)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Ksvd_finds_superposed_directions()
    {
        var (rows, truth) = Planted.Superposed(6000, 30, 15, 0.06);
        var fit = new KSvd
        {
            Latents = 30,
            K = 3,
            Iterations = 40,
        }.Fit(rows, null, Token);
        var recovery = Planted.Recovery(fit.Dictionary, truth, upToSign: true);
        Assert.True(recovery.Recovered >= 27, $"{recovery.Recovered} of 30, MMCS {recovery.MmcsTruthToDictionary}");
        Assert.True(fit.Curve[^1] < 0.3 * fit.Curve[0]);
    }

    [Fact]
    public void Ksvd_recovers_nothing_when_every_feature_is_always_on()
    {
        var (rows, truth) = Planted.Superposed(4000, 30, 15, 1);
        var fit = new KSvd
        {
            Latents = 30,
            K = 3,
            Iterations = 15,
        }.Fit(rows, null, Token);
        Assert.True(Planted.Recovery(fit.Dictionary, truth, upToSign: true).Recovered < 8);
    }

    [Fact]
    public void Online_dictionary_learning_finds_superposed_directions_and_their_sign()
    {
        var (rows, truth) = Planted.Superposed(6000, 30, 15, 0.06);
        var fit = new OnlineDictionaryLearning
        {
            Latents = 30,
            Steps = 600,
            Batch = 128,
        }.Fit(rows, null, Token);
        var recovery = Planted.Recovery(fit.Dictionary, truth);
        Assert.True(recovery.Recovered >= 27, $"{recovery.Recovered} of 30, MMCS {recovery.MmcsTruthToDictionary}");
    }

    [Fact]
    public void Online_dictionary_learning_recovers_nothing_from_gaussian_rows()
    {
        var (_, truth) = Planted.Superposed(10, 30, 15, 0.06);
        var rows = Planted.Single(new RandomStream(8, "gaussian").NormalMatrix(4000, 15));
        var fit = new OnlineDictionaryLearning
        {
            Latents = 30,
            Steps = 200,
            Batch = 128,
        }.Fit(rows, null, Token);
        Assert.True(Planted.Recovery(fit.Dictionary, truth, upToSign: true).Recovered < 5);
    }

    [Fact]
    public void Sparse_pca_uses_the_neurons_of_each_block_only_and_pca_mixes_them()
    {
        // Two blocks of five neurons, each driven by one factor; equal enough that noise mixes the principal axes a little.
        var random = new RandomStream(9, "blocks");
        var x = random.NormalMatrix(2000, 12);
        for (var i = 0; i < 2000; i++)
        {
            double a = 2 * random.NextNormal(),
                b = 1.9 * random.NextNormal();
            for (var j = 0; j < 5; j++)
            {
                x[i, j] = a + (0.5 * x[i, j]);
                x[i, 5 + j] = b + (0.5 * x[i, 5 + j]);
            }
        }
        var rows = Planted.Single(x);
        var sparse = new SparsePca { Components = 2, Sparsity = 0.3 }.Fit(rows, null, Token);
        Assert.True(sparse.Converged);
        for (var c = 0; c < 2; c++)
            Assert.Equal(5, sparse.Dictionary.Directions.Row(c).ToArray().Count(value => value != 0));
        Assert.Equal(
            12,
            new Pca { Components = 2 }
                .Fit(rows, null, Token)
                .Dictionary.Directions.Row(0)
                .ToArray()
                .Count(value => value != 0)
        );
        // Without a threshold it is PCA.
        var plain = new SparsePca { Components = 3, Sparsity = 0 }
            .Fit(rows, null, Token)
            .Dictionary;
        var pca = new Pca { Components = 3 }
            .Fit(rows, null, Token)
            .Dictionary;
        Assert.Equal(Planted.Fvu(pca, rows), Planted.Fvu(plain, rows), 1e-5);
    }

    [Fact]
    public void Kmeans_finds_separate_clusters_and_not_superposed_features()
    {
        var random = new RandomStream(10, "clusters");
        var centres = random.NormalMatrix(6, 5);
        var x = random.NormalMatrix(3000, 5);
        for (var i = 0; i < x.Rows; i++)
        for (var j = 0; j < 5; j++)
            x[i, j] = (10 * centres[i % 6, j]) + (0.3 * x[i, j]);
        var rows = Planted.Single(x);
        var fit = new KMeans { Latents = 6 }.Fit(rows, null, Token);
        Assert.True(fit.Converged);
        var latents = Planted.Latents(fit.Dictionary, rows);
        for (var i = 0; i < x.Rows; i++)
            Assert.Equal(Array.IndexOf(latents.Row(i % 6).ToArray(), 1.0), Array.IndexOf(latents.Row(i).ToArray(), 1.0));
        Assert.True(Planted.Fvu(fit.Dictionary, rows) < 0.01);
        var (superposed, truth) = Planted.Superposed(3000, 30, 15, 0.2);
        Assert.True(
            Planted
                .Recovery(
                    new KMeans { Latents = 30 }
                        .Fit(superposed, null, Token)
                        .Dictionary,
                    truth
                )
                .Recovered < 15
        );
    }

    [Fact]
    public void Every_method_gives_the_same_twice_and_refuses_one_row()
    {
        var rows = Planted.Superposed(400, 10, 6, 0.2).Rows;
        var positive = new FloatMatrix(rows.Rows, rows.Columns, Array.ConvertAll(rows.Data, Math.Abs));
        foreach (var method in Small())
        {
            Assert.Equal(
                method.Fit(positive, null, Token).Dictionary.Directions.Data,
                method.Fit(positive, null, Token).Dictionary.Directions.Data
            );
            Assert.Throws<ArgumentException>(() => method.Fit(new FloatMatrix(1, 3, [1, 2, 3]), null, Token));
        }
        Assert.Equal(ClassicalMethod.All.Select(method => method.Name), Small().Select(method => method.Name));
    }

    [Fact]
    public void The_shortest_description_of_superposed_features_has_as_many_latents_as_features()
    {
        var (rows, _) = Planted.Superposed(4000, 30, 20, 0.03);
        var (train, heldOut) = (Part(rows, 0, 3000), Part(rows, 3000, 1000));
        var curve = DescriptionLengthCurve.Measure(
            train,
            heldOut,
            [10, 20, 30, 45, 60],
            (x, size) =>
                new OnlineDictionaryLearning
                {
                    Latents = size,
                    Steps = 500,
                    Batch = 128,
                    Lambda = 0.1,
                }
                    .Fit(x, null, Token)
                    .Dictionary,
            new DescriptionLengthConfig(),
            Token
        );
        Assert.Equal((30, 30), (curve.TrainMinimum, curve.HeldOutMinimum));
    }

    private static ClassicalMethod[] Small() =>
        [
            new Pca(),
            new FastIcaMethod { MaxIterations = 5 },
            new OvercompleteIca { Iterations = 5 },
            new Nmf { Latents = 4, MaxIterations = 5 },
            new KSvd
            {
                Latents = 8,
                K = 2,
                Iterations = 3,
            },
            new OnlineDictionaryLearning { Latents = 8, Steps = 5 },
            new SparsePca { Components = 2 },
            new KMeans { Latents = 4 },
        ];

    private static FloatMatrix Part(FloatMatrix rows, int first, int count) =>
        new(count, rows.Columns, rows.Data.AsSpan(first * rows.Columns, count * rows.Columns).ToArray());
}
