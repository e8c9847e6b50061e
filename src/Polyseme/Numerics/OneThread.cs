using static TorchSharp.torch;

namespace Polyseme.Numerics;

/// <summary>Has libtorch compute on one thread until it is disposed, then on as many as before. Small products take longer on two threads that wait for each other.</summary>
/// <remarks>The number belongs to the thread that sets it: dispose on the thread that made it.</remarks>
internal sealed class OneThread : IDisposable
{
    private readonly int _before = get_num_threads();

    public OneThread() => set_num_threads(1);

    public void Dispose() => set_num_threads(_before);
}
