using System.Diagnostics;
using Polyseme.Activations;

namespace Polyseme.Tests.Activations;

/// <summary>Files exchanged with numpy itself. <c>./test</c> installs it; without it these tests fail and say so.</summary>
public sealed class NumpyTests : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void What_numpy_writes_is_read_and_its_moments_agree()
    {
        Run(
            """
            import numpy as np
            x = np.random.default_rng(7).standard_normal((1000, 9)) * np.arange(1, 10) + 1e6
            np.save("x.npy", x.astype("f4"))
            np.savez_compressed("x.npz", acts=np.asfortranarray(x.astype("f4")), token_id=np.arange(1000, dtype="i4"))
            y = x.astype("f4").astype("f8")
            np.savetxt("mean.txt", y.mean(0), fmt="%.17g")
            np.savetxt("cov.txt", np.cov(y.T).ravel(), fmt="%.17g")
            """
        );
        foreach (var name in (string[])["x.npy", "x.npz"])
        {
            var result = ActivationScan.Run(
                ActivationFile.Open(_files[name]),
                new ActivationScanConfig(),
                null,
                TestContext.Current.CancellationToken
            );
            // The offset is 1e6, so a relative 1e-12 is a millionth.
            Assert.All(Numbers("mean.txt").Zip(result.Mean), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
            var covariance = Numbers("cov.txt");
            for (var i = 0; i < 9; i++)
            for (var j = 0; j < 9; j++)
                Assert.Equal(covariance[(9 * i) + j], result.Covariance![i, j], 2e-6 * Math.Sqrt(covariance[10 * i] * covariance[10 * j]));
        }
    }

    [Fact]
    public void An_independent_ten_line_safetensors_writer_is_read()
    {
        Run(
            """
            import json, struct
            import numpy as np
            tensors = {"activations": np.arange(12, dtype="<f2").reshape(4, 3), "item": np.array([1, 1, 2, 2], "<i4")}
            names = {np.dtype("<f2"): "F16", np.dtype("<i4"): "I32"}
            header, data = {}, b""
            for name, tensor in tensors.items():
                header[name] = {"dtype": names[tensor.dtype], "shape": tensor.shape, "data_offsets": [len(data), len(data) + tensor.nbytes]}
                data += tensor.tobytes()
            header = json.dumps(header).encode()
            open("x.safetensors", "wb").write(struct.pack("<Q", len(header)) + header + data)
            """
        );
        var source = ActivationFile.Open(_files["x.safetensors"]);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (float)i), source.ReadRows([0, 1, 2, 3], TestContext.Current.CancellationToken));
        Assert.Equal([1L, 1, 2, 2], source.Rows.Item!);
    }

    [Fact]
    public void The_golden_files_are_what_numpy_writes()
    {
        Run("pass", RepositoryFile.Golden("make.py"), ".");
        foreach (var golden in Directory.GetFiles(RepositoryFile.Golden("."), "*.npy"))
            Assert.Equal(File.ReadAllBytes(golden), File.ReadAllBytes(_files[Path.GetFileName(golden)]));
    }

    private double[] Numbers(string name) => [.. File.ReadLines(_files[name]).Select(double.Parse)];

    private void Run(string script, params string[] arguments)
    {
        Assert.True(File.Exists(Python), $"{Python} is missing: install python3 and python3-numpy, as ./test does");
        var start = new ProcessStartInfo(Python)
        {
            WorkingDirectory = _files.Path,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in arguments.Length > 0 ? arguments : ["-c", script])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(
            process.ExitCode == 0,
            errors.Contains("No module named 'numpy'", StringComparison.Ordinal)
                ? "numpy is missing: install python3-numpy, as ./test does"
                : errors
        );
    }
}
