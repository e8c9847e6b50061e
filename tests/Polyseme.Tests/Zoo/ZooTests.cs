using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo;

public sealed class ZooTests
{
    /// <summary>The networks of the tour, with smaller samples: the numbers they must reproduce do not use them.</summary>
    public static TheoryData<string> Tour { get; } = new(ZooCatalogue.TourVariants.Select(variant => variant.DisplayName));

    [Theory]
    [MemberData(nameof(Tour))]
    public void Every_network_of_the_tour_meets_its_numbers(string name)
    {
        var variant = ZooCatalogue.TourVariants.Single(candidate => candidate.DisplayName == name);
        var run = variant.Member.Run(variant.Config with { Samples = 2000 }, null, TestContext.Current.CancellationToken);
        AssertAccepted(run);
        AssertComplete(run);
    }

    [Theory]
    // Density 1/(1 − S) = 20: four active features in eight dimensions.
    [InlineData("tms", "density=0.05")]
    [InlineData("tms-memorised", "points=5")]
    [InlineData("xy", "k=8")]
    [InlineData("xy", "k=32")]
    [InlineData("mixed-radix", "levels=2")]
    [InlineData("mixed-radix", "levels=3")]
    [InlineData("mixed-radix", "levels=8,pairs=1,neurons=3")]
    public void Other_configurations_meet_their_numbers(string name, string settings)
    {
        var member = ZooCatalogue.Find(name);
        var config = ZooConfigs.With(
            member.DefaultConfig,
            settings.Split(',').Append("samples=1000").Select(setting => KeyValuePair.Create(setting.Split('=')[0], setting.Split('=')[1]))
        );
        var run = member.Run(config, null, TestContext.Current.CancellationToken);
        Assert.NotEmpty(run.Acceptances);
        AssertAccepted(run);
    }

    [Theory]
    [InlineData("capacity", "kurtosis=10,steps=2000,seeds=4")]
    [InlineData("incidental", "seeds=1")]
    [InlineData("loss-induced", "seeds=12")]
    [InlineData("packing", "features=24,neurons=6,steps=300,starts=1")]
    [InlineData("dead-zone", "features=5,hidden=2,tolerance=0.25")]
    [InlineData("tent-map", "depth=8")]
    [InlineData("random-codewords", "rotated=true")]
    [InlineData("hash-map", "code=0")]
    [InlineData("hash-map", "code=512,items=16")]
    [InlineData("composition-codes", "code=local")]
    [InlineData("composition-codes", "code=semi-local")]
    [InlineData("composition-codes", "code=semi-distributed")]
    [InlineData("composition-codes", "code=dense")]
    [InlineData("library-books", "rotated=true")]
    [InlineData("entropy-concept", "neurons=8")]
    [InlineData("fat-giraffe", "species=50")]
    [InlineData("polytope", "width=24")]
    [InlineData("one-neuron-resnet", "blocks=24")]
    public void Networks_beside_the_tour_are_complete_and_meet_their_numbers(string name, string settings)
    {
        var member = ZooCatalogue.Find(name);
        var config = ZooConfigs.With(
            member.DefaultConfig,
            settings.Split(',').Append("samples=1000").Select(setting => KeyValuePair.Create(setting.Split('=')[0], setting.Split('=')[1]))
        );
        var run = member.Run(config, null, TestContext.Current.CancellationToken);
        AssertAccepted(run);
        AssertComplete(run);
    }

    [Fact]
    public void Stopped_and_finished_runs_of_the_privileged_basis_start_alike()
    {
        var member = ZooCatalogue.Find("tms-privileged");
        var few = new PrivilegedBasisConfig
        {
            Steps = 1,
            Seeds = 1,
            LearningRate = 1e-6,
            Samples = 100,
        };
        double[] Start(int steps) =>
            ((ToyNetwork)member.Run(few with { Steps = steps }, null, TestContext.Current.CancellationToken).Network).Parameters.W.Data;
        // One step and two steps of at most 1e-6 from the same weights.
        foreach (var (one, two) in Start(1).Zip(Start(2)))
            Assert.Equal(one, two, 1e-5);
    }

    [Fact]
    public void The_same_configuration_gives_the_same_numbers()
    {
        ZooRun Once() =>
            ZooCatalogue
                .Find("tms")
                .Run(
                    new ToyModelsConfig
                    {
                        Steps = 300,
                        Samples = 500,
                        Seed = 5,
                    },
                    null,
                    TestContext.Current.CancellationToken
                );
        ZooRun first = Once(),
            second = Once();
        Assert.Equal<float>(first.Activations.Values, second.Activations.Values);
        Assert.Equal<double>(first.SeedLosses, second.SeedLosses);
    }

    [Fact]
    public void Eight_points_are_diagnosed_on_themselves_and_fresh_inputs_stay_apart()
    {
        var run = ZooCatalogue
            .Find("tms-memorised")
            .Run(new MemorisedPointsConfig { Samples = 500 }, null, TestContext.Current.CancellationToken);
        Assert.Equal<long>([0, 1, 2, 3, 4, 5, 6, 7], run.Activations.Rows.Item!);
        Assert.Equal(500, run.Fresh!.Activations.NSamples);
        // Nothing learnt on eight points reconstructs others: the loss is that of writing zero, the squared norm 1.
        Assert.InRange(run.Fresh.FreshLoss, 0.95, 1.3);
        Assert.True(run.Fresh.TrainLoss < 1e-4);
        Assert.Equal(Cause.Compositional, run.Truth.Cause);
    }

    [Theory]
    [InlineData("tms", "hidden=80")]
    [InlineData("tms", "density=0")]
    [InlineData("tms", "density=1.01")]
    [InlineData("tms", "samples=1")]
    [InlineData("tms", "frequencies=zipf")]
    [InlineData("tms", "importance-decay=2")]
    [InlineData("tms-memorised", "points=1")]
    [InlineData("xy", "k=7")]
    [InlineData("xy", "hook=hook_hidden")]
    [InlineData("mixed-radix", "pairs=17")]
    [InlineData("bit-extraction", "bits=24")]
    [InlineData("capacity", "neurons=8")]
    [InlineData("capacity", "kurtosis=1")]
    [InlineData("incidental", "neurons=72")]
    [InlineData("incidental", "neurons=48")]
    [InlineData("loss-induced", "classes=21")]
    [InlineData("packing", "features=8")]
    [InlineData("dead-zone", "tolerance=1")]
    [InlineData("dead-zone", "output=tanh")]
    [InlineData("nonlinear-encoder", "hidden=5")]
    [InlineData("tent-map", "depth=21")]
    [InlineData("random-codewords", "bits=1")]
    [InlineData("hash-map", "items=1")]
    [InlineData("library-books", "genres=1")]
    [InlineData("composition-codes", "code=sparse")]
    [InlineData("fat-giraffe", "species=500")]
    [InlineData("polytope", "width=1")]
    [InlineData("one-neuron-resnet", "blocks=65")]
    [InlineData("token-classes", "classes=32")]
    public void Impossible_configurations_are_refused_with_value_and_range(string name, string setting)
    {
        var member = ZooCatalogue.Find(name);
        var (key, value) = (setting.Split('=')[0], setting.Split('=')[1]);
        var refused = Assert.Throws<ArgumentException>(() =>
            member.Run(
                ZooConfigs.With(member.DefaultConfig, [KeyValuePair.Create(key, value)]),
                null,
                TestContext.Current.CancellationToken
            )
        );
        Assert.Contains(value, refused.Message);
        Assert.Contains(key, refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_configuration_of_another_member_is_refused()
    {
        Assert.Throws<ArgumentException>(() =>
            ZooCatalogue.Find("xy").Run(new ToyModelsConfig(), null, TestContext.Current.CancellationToken)
        );
        Assert.Contains("tms-pairs", Assert.Throws<ArgumentException>(() => ZooCatalogue.Find("no")).Message);
    }

    [Fact]
    public void Interventions_change_what_flows_on()
    {
        var run = ZooCatalogue.Find("xy").Run(new ProductNetworkConfig { Samples = 100 }, null, TestContext.Current.CancellationToken);
        var inputs = Matrix.FromRows([0.5, 0.5], [-0.25, 1]);
        var silenced = run.Network.Run(
            inputs,
            ["hook_post"],
            new Dictionary<string, Func<Matrix, Matrix>> { ["hook_pre"] = before => new Matrix(before.Rows, before.Columns) }
        );
        Assert.All(silenced.Recorded["hook_post"].Data, value => Assert.Equal(0, value));
        Assert.All(silenced.Output.Data, value => Assert.Equal(0, value));
        // 1/K² bounds the error of the product.
        Assert.Equal(0.25, run.Network.Run(inputs).Output[0, 0], 1.0 / 256);
    }

    private static void AssertAccepted(ZooRun run) =>
        Assert.True(
            run.Acceptances.All(acceptance => acceptance.Passed),
            string.Join("; ", run.Acceptances.Where(a => !a.Passed).Select(a => $"{a.Claim}: {a.Value} is not in [{a.Low}, {a.High}]"))
        );

    private static void AssertComplete(ZooRun run)
    {
        Assert.NotEmpty(run.Acceptances);
        Assert.Equal(run.Activations.NSamples, run.Features.NSamples);
        Assert.Equal(run.Activations.NSamples * run.Activations.NNeurons, run.Activations.Values.Length);
        Assert.Equal(run.Activations.NNeurons, run.Network.Hooks.Single(hook => hook.Name == run.Hook).Width);
        Assert.All(run.Activations.Values, value => Assert.True(float.IsFinite(value)));
        Assert.All(run.Features.Concepts, concept => Assert.Equal(run.Features.NSamples, concept.Values.Length));
        foreach (var level in Enum.GetValues<AccessLevel>())
            Assert.NotEmpty(run.Truth.AcceptedAt(level));
        Assert.Contains(Causes.Id(run.Truth.Cause), run.Truth.AcceptedAt(AccessLevel.T));
        Assert.Equal(run.Activations.NNeurons, run.Truth.Directions?.Columns ?? run.Activations.NNeurons);
        AssertHooksCompose(run.Network);
    }

    /// <summary>Every hook can be read, has its width, handing back what it held changes nothing, and moving its neurons (each differently: some read-outs take differences) does.</summary>
    private static void AssertHooksCompose(Network network)
    {
        var inputs = new RandomStream(3, "inputs").NormalMatrix(3, network.InputWidth);
        var plain = network.Run(inputs, [.. network.Hooks.Select(hook => hook.Name)]);
        foreach (var hook in network.Hooks)
        {
            Assert.Equal((3, hook.Width), (plain.Recorded[hook.Name].Rows, plain.Recorded[hook.Name].Columns));
            var same = network.Run(
                inputs,
                null,
                new Dictionary<string, Func<Matrix, Matrix>> { [hook.Name] = _ => plain.Recorded[hook.Name].Copy() }
            );
            Assert.Equal<double>(plain.Output.Data, same.Output.Data);
            var changed = network.Run(
                inputs,
                null,
                new Dictionary<string, Func<Matrix, Matrix>>
                {
                    [hook.Name] = held => new Matrix(
                        held.Rows,
                        held.Columns,
                        [.. held.Data.Select((value, i) => value + (3 * (i % held.Columns)) + 3)]
                    ),
                }
            );
            Assert.NotEqual<double>(plain.Output.Data, changed.Output.Data);
        }
    }
}
