using System.Runtime.ExceptionServices;
using TorchSharp;

namespace Polyseme.Numerics;

/// <summary>
/// Threads of our own, one a core, in each of which libtorch computes on that one thread: work in pieces that mixes libtorch's products with loops of
/// ours runs on all cores without two pools of threads that wait for each other. Pieces must not depend on which thread does them.
/// </summary>
internal sealed class WorkerTeam
{
    private static readonly Lazy<WorkerTeam> s_shared = new(() => new WorkerTeam(Environment.ProcessorCount));

    [ThreadStatic]
    private static bool s_isWorker;

    private readonly Lock _oneAtATime = new();
    private readonly object _turn = new();
    private Action<int, int>? _work;
    private Exception? _failure;
    private int _round;
    private int _busy;
    private int _pieces;
    private int _next;

    private WorkerTeam(int workers)
    {
        Workers = workers;
        for (var i = 0; i < workers; i++)
        {
            var worker = i;
            new Thread(() => Serve(worker)) { IsBackground = true, Name = $"polyseme worker {i}" }.Start();
        }
        // Each thread has a number of its own, but the last that is set is what threads to come start with: it must be this one's again.
        var threads = torch.get_num_threads();
        Run(null);
        torch.set_num_threads(threads);
    }

    /// <summary>The one that everyone uses.</summary>
    public static WorkerTeam Shared => s_shared.Value;

    /// <summary>How many there are.</summary>
    public int Workers { get; }

    /// <summary>
    /// Does all pieces and returns when they are done. A single piece is done by the caller, as worker 0, with libtorch's own threads; pieces of a piece are
    /// done by its worker, one after the other.
    /// </summary>
    /// <param name="pieces">How many.</param>
    /// <param name="work">Told which worker does it, in 0 … <see cref="Workers"/> − 1, and which piece it is.</param>
    public void Run(int pieces, Action<int, int> work)
    {
        if (pieces == 1 || s_isWorker)
        {
            for (var piece = 0; piece < pieces; piece++)
                work(0, piece);
            return;
        }
        lock (_oneAtATime)
        {
            (_pieces, _next) = (pieces, 0);
            Run(work);
        }
    }

    /// <summary>The results of independent pieces of work, in the order of their items; the last items are begun first, which are often the longest.</summary>
    public TResult[] Map<T, TResult>(IReadOnlyList<T> items, Func<T, TResult> work)
    {
        var results = new TResult[items.Count];
        Run(items.Count, (_, piece) => results[items.Count - 1 - piece] = work(items[items.Count - 1 - piece]));
        return results;
    }

    private void Run(Action<int, int>? work)
    {
        lock (_turn)
        {
            (_work, _failure, _busy) = (work, null, Workers);
            _round++;
            Monitor.PulseAll(_turn);
            while (_busy > 0)
                Monitor.Wait(_turn);
            _work = null;
        }
        if (_failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }

    private void Serve(int worker)
    {
        s_isWorker = true;
        for (var round = 1; ; round++)
        {
            lock (_turn)
            {
                while (_round < round)
                    Monitor.Wait(_turn);
            }
            try
            {
                Work(worker);
            }
            catch (Exception e)
            {
                _failure = e;
                Volatile.Write(ref _next, _pieces);
            }
            finally
            {
                lock (_turn)
                {
                    if (--_busy == 0)
                        Monitor.PulseAll(_turn);
                }
            }
        }
    }

    private void Work(int worker)
    {
        if (_work is not { } work)
        {
            // Asking first: a thread takes over the common number when it first asks, and would lose its own.
            _ = torch.get_num_threads();
            torch.set_num_threads(1);
            return;
        }
        for (var piece = Interlocked.Increment(ref _next) - 1; piece < _pieces; piece = Interlocked.Increment(ref _next) - 1)
            work(worker, piece);
    }
}
