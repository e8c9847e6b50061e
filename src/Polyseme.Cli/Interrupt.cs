using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Polyseme.Cli;

/// <summary>
/// Turns Ctrl-C and SIGTERM into a cancellation. A second one, when the first had its time, ends the process at once, as it would without us.
/// </summary>
internal sealed class Interrupt : IDisposable
{
    // Programs such as timeout signal a process and then its group: one wish, two signals.
    private static readonly TimeSpan s_sameWish = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource _source = new();
    private readonly Stopwatch _sinceFirst = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interrupt() =>
        _registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
        ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = _sinceFirst.Elapsed < s_sameWish;
        _sinceFirst.Start();
        if (context.Cancel)
            _source.Cancel();
    }
}
