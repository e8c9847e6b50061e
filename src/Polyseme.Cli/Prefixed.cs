using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary>Progress of a part of a longer piece of work: the part's name stands before each stage.</summary>
internal sealed class Prefixed(IProgress<Step> inner, string prefix) : IProgress<Step>
{
    public void Report(Step value) => inner.Report(value with { Stage = $"{prefix}: {value.Stage}" });
}
