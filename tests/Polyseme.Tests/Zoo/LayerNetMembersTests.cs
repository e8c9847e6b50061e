using Polyseme.Numerics;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Tests.Zoo;

public sealed class LayerNetMembersTests
{
    /// <summary>Short trainings: what they reach is held by the reproduction, how they are described here.</summary>
    public static TheoryData<string, string> Short { get; } =
        new()
        {
            { "tms-abs", "steps=50,seeds=2" },
            { "tms-abs", "features=3,hidden=6,density=0.5,steps=50,seeds=2" },
            { "stuck-abs", "steps=50,seeds=2" },
            { "stuck-abs", "steps=50,seeds=2,output-relu=true,optimiser=momentum" },
            { "stuck-and", "steps=50,seeds=2" },
            { "engineered", "features=12,dimensions=6,hidden=24,steps=50" },
            { "engineered", "features=12,dimensions=6,hidden=8,steps=50" },
            { "universal-and", "features=30,neurons=64,outputs=10" },
            { "xy-trained", "steps=50,seeds=2" },
            { "xy-trained", "steps=50,seeds=1,hook=hook_post" },
        };

    [Theory]
    [MemberData(nameof(Short))]
    public void A_run_is_complete_and_repeats_itself(string name, string settings)
    {
        var member = ZooCatalogue.Find(name);
        var config = ZooConfigs.With(
            member.DefaultConfig,
            settings.Split(',').Append("samples=200").Select(setting => KeyValuePair.Create(setting.Split('=')[0], setting.Split('=')[1]))
        );
        var run = member.Run(config, null, TestContext.Current.CancellationToken);
        Assert.Equal(200, run.Activations.NSamples);
        Assert.Equal(200, run.Features.NSamples);
        Assert.Equal(run.Activations.NNeurons, run.Network.Hooks.Single(hook => hook.Name == run.Hook).Width);
        Assert.All(run.Activations.Values, value => Assert.True(float.IsFinite(value)));
        Assert.Equal(run.Activations.NNeurons, run.Truth.Directions?.Columns ?? run.Activations.NNeurons);
        foreach (var level in Enum.GetValues<AccessLevel>())
            Assert.NotEmpty(run.Truth.AcceptedAt(level));
        Assert.Contains(Causes.Id(run.Truth.Cause), run.Truth.AcceptedAt(AccessLevel.T));
        Assert.All(run.Network.Weights.Values.SelectMany(weights => weights.Data), value => Assert.True(double.IsFinite(value)));
        var again = member.Run(config, null, TestContext.Current.CancellationToken);
        Assert.Equal<float>(run.Activations.Values, again.Activations.Values);
        Assert.Equal<double>(run.SeedLosses, again.SeedLosses);
    }

    [Fact]
    public void The_network_computes_what_the_plain_version_does()
    {
        var run = ZooCatalogue
            .Find("engineered")
            .Run(
                new EngineeredMonosemanticityConfig
                {
                    Features = 12,
                    Dimensions = 6,
                    Hidden = 24,
                    Steps = 20,
                    Samples = 100,
                },
                null,
                TestContext.Current.CancellationToken
            );
        var network = (LayerNetwork)run.Network;
        var inputs = new RandomStream(1, "x").NormalMatrix(7, 12);
        var shape = new LayerNetShape
        {
            Inputs = 12,
            Projection = network.Weights["P"],
            Hidden = 24,
            Outputs = 12,
            OutputBias = false,
        };
        var trace = network.Run(inputs, ["hook_post"]);
        var (hidden, output) = LayerNetReference.Run(shape, network.Parameters, inputs);
        Assert.Equal<double>(hidden.Data, trace.Recorded["hook_post"].Data);
        Assert.Equal<double>(output.Data, trace.Output.Data);
        // Each feature's direction has norm one.
        var directions = network.Weights["P"].Transpose();
        for (var i = 0; i < directions.Rows; i++)
            Assert.Equal(1, FeatureGeometry.SquaredNorm(directions, i), 1e-12);
    }

    [Fact]
    public void Neurons_of_hand_made_networks_are_counted_right()
    {
        // One feature in two neurons; two features in one, the second a quarter as strong and read as strongly.
        var parameters = new LayerNetParameters(
            Matrix.FromRows([1, 0, 0], [-1, 0.05, 0], [0, 2, -0.5]),
            new double[3],
            Matrix.FromRows([1, 1, 0], [0, 0, 0.5], [0, 0, 2]),
            new double[3]
        );
        var neurons = AbsoluteNeurons.Of(parameters);
        Assert.Equal((2, 1, 1, 1), (neurons.Monosemantic, neurons.Polysemantic, neurons.Motifs, neurons.Pairs));
        Assert.Equal([0, 1, 2], neurons.FeaturesRead);
        Assert.Equal<double>([1, 1], neurons.Gains);

        var counts = NeuronCounts.Of(Matrix.FromRows([1, 0.5, 0], [0, 0.5, 0]));
        Assert.Equal((2, 1, 3), (counts.Live, counts.Monosemantic, counts.All));
    }

    [Theory]
    [InlineData("universal-and", "overlap=64,neurons=32", "Overlap")]
    [InlineData("universal-and", "active=16,features=8", "Active")]
    [InlineData("engineered", "density=0", "Density")]
    [InlineData("stuck-and", "optimiser=lamb", "Optimiser")]
    [InlineData("tms-abs", "seeds=0", "Seeds")]
    public void Impossible_configurations_are_refused(string name, string settings, string said)
    {
        var member = ZooCatalogue.Find(name);
        var refused = Assert.Throws<ArgumentException>(() =>
            member.Run(
                ZooConfigs.With(
                    member.DefaultConfig,
                    settings.Split(',').Select(setting => KeyValuePair.Create(setting.Split('=')[0], setting.Split('=')[1]))
                ),
                null,
                TestContext.Current.CancellationToken
            )
        );
        Assert.Contains(said, refused.Message, StringComparison.OrdinalIgnoreCase);
    }
}
