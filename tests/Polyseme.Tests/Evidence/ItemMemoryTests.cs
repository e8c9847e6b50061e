using Polyseme.Activations;
using Polyseme.Evidence;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Evidence;

public sealed class ItemMemoryTests
{
    [Fact]
    public void Partitions_of_stored_items_are_read_on_seen_items_only()
    {
        var memory = MeasuredLayer.Items.Measures.Memory!;
        Assert.Equal(256, memory.RepeatedItems);
        Assert.True(memory.Seen > 0.95, $"{memory.Seen}");
        Assert.True(memory.Unseen < 0.1, $"{memory.Unseen}");
    }

    [Fact]
    public void What_lies_along_a_direction_is_read_on_unseen_items_too()
    {
        var input = PlantedLayers.Items(400, 3, 3);
        var rows = input.Activations.ToMatrix();
        var number = new Concept("first neuron", ConceptKind.Numeric, rows.Column(0));
        var memory = Measure(input, [number]);
        Assert.True(memory!.Unseen > 0.7, $"{memory.Unseen}"); // three neighbours of 400 points in three dimensions
        Assert.True(memory.Unseen > memory.Null.Mean + (5 * memory.Null.Sd), $"{memory.Unseen} against {memory.Null}");
    }

    [Fact]
    public void Without_items_that_come_back_there_is_nothing_to_compare()
    {
        Assert.Null(Measure(PlantedLayers.Items(9, 5, 3), [PlantedLayers.Binary("half", 45, i => i % 2 == 0)]));
        Assert.Null(Measure(PlantedLayers.Items(100, 1, 3), [PlantedLayers.Binary("half", 100, i => i % 2 == 0)]));
    }

    private static ItemMemory? Measure(Polyseme.Verdicts.DiagnosisInput input, IReadOnlyList<Concept> concepts) =>
        ItemMemory.Measure(
            PlantedLayers.Subspace(input.Activations.ToMatrix()).Whitened,
            ConceptColumns.Of(new ConceptTable(input.Activations.NSamples, concepts)),
            RowGroups.Of(input.Activations),
            50
        );
}
