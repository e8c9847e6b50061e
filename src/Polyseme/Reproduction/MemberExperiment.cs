using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction;

/// <summary>A zoo member whose claims are its networks' acceptances: some configurations are run, and each acceptance is a row.</summary>
/// <param name="member">The member.</param>
/// <param name="title">What it reproduces, a few words.</param>
/// <param name="configurations">The configurations of a size, each as <c>key=value</c> settings over the member's default.</param>
public sealed class MemberExperiment(
    ZooMember member,
    string title,
    Func<ReproductionSize, IReadOnlyList<IReadOnlyList<(string Key, string Value)>>> configurations
) : Experiment
{
    /// <inheritdoc/>
    public override string Name => member.Name;

    /// <inheritdoc/>
    public override string Title => title;

    /// <inheritdoc/>
    public override string Source => member.Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        var ran = new List<string>();
        foreach (var settings in configurations(config.Size))
        {
            var named = string.Join(", ", settings.Select(setting => $"{setting.Key} {setting.Value}"));
            var run = member.Run(
                ZooConfigs.With(member.DefaultConfig, settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))) with
                {
                    Seed = config.Seed,
                },
                progress,
                cancellation
            );
            rows.AddRange(run.Acceptances.Select(acceptance => ClaimRow.Of(acceptance, named)));
            ran.Add(named.Length == 0 ? "the default configuration" : named);
        }
        return new ExperimentResult(string.Join("; ", ran), rows, []);
    }
}
