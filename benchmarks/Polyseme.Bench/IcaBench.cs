using System.Diagnostics;
using Polyseme.Dictionaries.Classical;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Bench;

/// <summary>Independent components of a layer, whitening and convergence included: ours, and scikit-learn's FastICA where a Python that has it is there.</summary>
internal static class IcaBench
{
    private const int Columns = 128;
    private const double Tolerance = 1e-4;

    // Reads float32 rows, fits, prints seconds and iterations, and writes the components (the unmixing) as float64.
    private const string Peer = """
        import sys, time, numpy
        from sklearn.decomposition import FastICA
        import sklearn
        path, rows, columns, seed, tolerance = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
        x = numpy.fromfile(path, numpy.float32).reshape(rows, columns)
        ica = FastICA(n_components=columns, algorithm='parallel', whiten='unit-variance', fun='logcosh', tol=tolerance, max_iter=200, random_state=seed)
        start = time.perf_counter()
        ica.fit(x)
        print(time.perf_counter() - start, ica.n_iter_)
        ica.components_.astype(numpy.float64).tofile(path + '.components')
        print(sklearn.__version__)
        """;

    public static IEnumerable<Measurement> Run(BenchOptions options)
    {
        var rows = options.Quick ? 20_000 : 100_000;
        var runs = options.Quick ? 1 : 3;
        var data = Mixed(rows);
        var method = new FastIcaMethod { Tolerance = Tolerance };
        var (seconds, peers) = (new double[runs], new List<double>());
        var stages = new Dictionary<string, double>();
        var note = "";
        method.Fit(new FloatMatrix(1000, Columns, data.Data[..(1000 * Columns)])); // the first call loads and compiles
        for (var run = 0; run < runs; run++)
        {
            // In turn, so that what else the machine does falls on both alike.
            var clock = Stopwatch.StartNew();
            var fit = (method with { Seed = (ulong)run }).Fit(data);
            seconds[run] = clock.Elapsed.TotalSeconds;
            stages["iterations"] = fit.Iterations;
            stages["converged"] = fit.Converged == true ? 1 : 0;
            (var peer, note) = MeasurePeer(data, run, ((LinearDictionary)fit.Dictionary).Encoder, stages);
            if (peer is { } took)
                peers.Add(took);
        }
        var ours = Interleaved.Median(seconds);
        double? theirs = peers.Count == runs ? Interleaved.Median([.. peers]) : null;
        StageTimes(data, stages);
        yield return new Measurement
        {
            Name = "ica.fastica",
            Ours = ours,
            Peer = theirs,
            Unit = "s",
            Ratio = theirs / ours,
            PeakMb = ProcessMemory.PeakMegabytes(),
            Stages = stages,
            NRuns = runs,
            Notes =
                $"{rows} x {Columns} float32, Laplace sources through a random mixing; whitening and convergence to tolerance {Tolerance} included; {note}; {Environment.ProcessorCount} threads",
        };
    }

    /// <summary>Whitening, and one step of the fixed point on all rows; seconds.</summary>
    private static void StageTimes(FloatMatrix data, Dictionary<string, double> stages)
    {
        using var scope = torch.NewDisposeScope();
        var clock = Stopwatch.StartNew();
        var (mean, variances, axes) = RowStatistics.PrincipalAxes(data);
        stages["principal_axes_s"] = clock.Elapsed.TotalSeconds;
        var whitened = RowStatistics.Whitened(data, mean, variances, axes, Columns);
        stages["whitening_s"] = clock.Elapsed.TotalSeconds;
        var start = torch.eye(Columns, dtype: torch.float64);
        clock.Restart();
        FastIca.Step(whitened, start);
        stages["step_s"] = clock.Elapsed.TotalSeconds;
    }

    private static FloatMatrix Mixed(int rows)
    {
        var random = new RandomStream(0, "bench/ica");
        var sources = new Matrix(rows, Columns);
        for (var i = 0; i < sources.Data.Length; i++)
            sources.Data[i] = Math.Log(1 - random.NextDouble()) - Math.Log(1 - random.NextDouble());
        var mixed = LinearAlgebra.Multiply(sources, random.NormalMatrix(Columns, Columns));
        return new FloatMatrix(rows, Columns, Array.ConvertAll(mixed.Data, value => (float)value));
    }

    private static (double? Seconds, string Note) MeasurePeer(
        FloatMatrix data,
        int seed,
        FloatMatrix ours,
        Dictionary<string, double> stages
    )
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var file = File.Create(path))
                file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(data.Data));
            var start = new ProcessStartInfo("/usr/bin/python3")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            };
            foreach (var argument in new[] { "-c", Peer, path, $"{data.Rows}", $"{data.Columns}", $"{seed}", $"{Tolerance}" })
                start.ArgumentList.Add(argument);
            start.Environment["OPENBLAS_NUM_THREADS"] = $"{Environment.ProcessorCount}";
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
            process.WaitForExit();
            if (process.ExitCode != 0 || lines.Length != 2)
                return (
                    null,
                    $"no peer: {errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault("python3 failed")}"
                );
            var fit = lines[0].Split(' ');
            stages["peer_iterations"] = double.Parse(fit[1]);
            stages["least_component_correlation"] = LeastCorrelation(data, ours, File.ReadAllBytes(path + ".components"));
            return (
                double.Parse(fit[0]),
                $"peer: scikit-learn {lines[^1]} FastICA, parallel, logcosh; correlation: the least over our components of the largest |corr| with one of its"
            );
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (null, "no peer: there is no /usr/bin/python3");
        }
        finally
        {
            File.Delete(path);
            File.Delete(path + ".components");
        }
    }

    /// <summary>Correlations of the components on the data itself, both sides in double.</summary>
    private static double LeastCorrelation(FloatMatrix data, FloatMatrix ours, byte[] theirs)
    {
        var peer = new Matrix(Columns, Columns, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(theirs).ToArray());
        var reads = new Matrix(Columns, Columns, Array.ConvertAll(ours.Data, value => (double)value));
        var x = new Matrix(data.Rows, Columns, Array.ConvertAll(data.Data, value => (double)value));
        for (var j = 0; j < Columns; j++)
        {
            var mean = x.Column(j).Average();
            for (var i = 0; i < x.Rows; i++)
                x[i, j] -= mean;
        }
        var covariance = LinearAlgebra.TransposeMultiply(x, x);
        Matrix Inner(Matrix a, Matrix b) => LinearAlgebra.MultiplyTranspose(LinearAlgebra.Multiply(a, covariance), b);
        var (cross, own, other) = (Inner(reads, peer), Inner(reads, reads), Inner(peer, peer));
        return Enumerable
            .Range(0, Columns)
            .Min(a => Enumerable.Range(0, Columns).Max(b => Math.Abs(cross[a, b]) / Math.Sqrt(own[a, a] * other[b, b])));
    }
}
