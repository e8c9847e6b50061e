using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Polyseme.Runs;

namespace Polyseme.Zoo.Training;

/// <summary>What tells one population from another: a hash over everything that its results depend on.</summary>
internal static class PopulationFingerprint
{
    /// <summary>SHA-256, in lower-case hex, over all jobs: their trainings (without the number of workers), data, seeds, numbers and starts.</summary>
    public static string Of(IReadOnlyList<ToyJob> jobs)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (last, digest) = (default(ToyTraining), Array.Empty<byte>());
        foreach (var job in jobs)
        {
            // Jobs that follow each other often share their training.
            if (!ReferenceEquals(job.Training, last))
                (last, digest) = (job.Training, Digest(job.Training));
            hash.AppendData(digest);
            hash.AppendData(BitConverter.GetBytes(job.Seed));
            hash.AppendData(BitConverter.GetBytes(job.Model));
            hash.AppendData(MemoryMarshal.AsBytes<double>(job.Initial.W.Data));
            hash.AppendData(MemoryMarshal.AsBytes<double>(job.Initial.B));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Digest(ToyTraining training)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(training with { Threads = 1 }, Json.Options));
        hash.AppendData(Encoding.UTF8.GetBytes(training.Inputs.GetType().Name));
        switch (training.Inputs)
        {
            case ToyInputs.Fresh fresh:
                hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(fresh, Json.Options));
                break;
            case ToyInputs.DataSet set:
                hash.AppendData(BitConverter.GetBytes(set.WholeSetEveryStep));
                hash.AppendData(BitConverter.GetBytes(set.Rows.Width));
                hash.AppendData(MemoryMarshal.AsBytes(set.Rows.Start));
                hash.AppendData(MemoryMarshal.AsBytes(set.Rows.Feature));
                hash.AppendData(MemoryMarshal.AsBytes(set.Rows.Value));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(training), training.Inputs, "no such inputs");
        }
        return hash.GetHashAndReset();
    }
}
