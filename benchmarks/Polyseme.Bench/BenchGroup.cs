namespace Polyseme.Bench;

/// <summary>A group of measurements that is run by its name.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Summary">What it measures, in one sentence.</param>
/// <param name="Run">Runs it; each measurement is handed on as soon as it is there.</param>
internal sealed record BenchGroup(string Name, string Summary, Func<BenchOptions, IEnumerable<Measurement>> Run)
{
    /// <summary>Every group there is.</summary>
    public static IReadOnlyList<BenchGroup> All { get; } =
    [
        new("toy", "training steps of small networks against eager libtorch and the machine's multiply-add peak", ToyBench.Run),
        new("sae", "training of a TopK autoencoder against eager libtorch", SaeBench.Run),
        new("store", "activations on disk, in order and shuffled, against a plain read of the file", StoreBench.Run),
        new("ica", "independent components of a layer against scikit-learn's FastICA", IcaBench.Run),
    ];
}

/// <summary>How to measure.</summary>
/// <param name="Quick">Less work in each run, as many runs.</param>
internal sealed record BenchOptions(bool Quick)
{
    /// <summary>Runs behind each median.</summary>
    public int Runs => 5;

    /// <summary>Roughly how long each run should last, seconds.</summary>
    public double RunSeconds => Quick ? 0.25 : 1;
}
