using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Numerics;

/// <summary>Adam's constants.</summary>
/// <param name="FirstDecay">β₁.</param>
/// <param name="SecondDecay">β₂.</param>
/// <param name="Epsilon">ε.</param>
internal sealed record AdamConstants(double FirstDecay, double SecondDecay, double Epsilon)
{
    /// <summary>Those of the paper.</summary>
    public static AdamConstants Standard { get; } = new(0.9, 0.999, 1e-8);
}

/// <summary>Optimiser steps over one array of parameters, which may be read and written up to the next multiple of 16.</summary>
internal static unsafe class ParameterSteps<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>Added and subtracted again, this turns what is below 1e-27 into zero: moments of dead neurons shrink into denormal numbers, and so do their products with the rate, which cost a hundred times as much. Beside ε they are nothing.</summary>
    private const float Flush = 1e-20f;

    /// <summary>Adam with decoupled weight decay.</summary>
    /// <param name="value">Parameters.</param>
    /// <param name="first">First moments.</param>
    /// <param name="second">Second moments.</param>
    /// <param name="gradient">Gradient.</param>
    /// <param name="count">How many.</param>
    /// <param name="step">0, 1, ….</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="weightDecay">Per unit of learning rate.</param>
    /// <param name="constants">β₁, β₂ and ε.</param>
    /// <param name="gradientScale">What the gradient is multiplied by first.</param>
    /// <remarks>Kingma and Ba 2015, "Adam"; Loshchilov and Hutter 2019, "Decoupled weight decay regularization".</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Adam(
        float* value,
        float* first,
        float* second,
        float* gradient,
        nint count,
        long step,
        double rate,
        double weightDecay,
        AdamConstants constants,
        double gradientScale = 1
    )
    {
        var correction1 = 1 - Math.Pow(constants.FirstDecay, step + 1);
        var correction2 = 1 - Math.Pow(constants.SecondDecay, step + 1);
        // lr·(m/c1) / (√(v/c2) + ε) = (lr·√c2/c1)·m / (√v + ε·√c2)
        var rateNow = TSimd.Broadcast((float)(rate * Math.Sqrt(correction2) / correction1));
        var epsilon = TSimd.Broadcast((float)(constants.Epsilon * Math.Sqrt(correction2)));
        var keep = TSimd.Broadcast((float)(1 - (rate * weightDecay)));
        var flush = TSimd.Broadcast(Flush);
        var scale = TSimd.Broadcast((float)gradientScale);
        var (firstDecay, firstShare) = Shares(constants.FirstDecay);
        var (secondDecay, secondShare) = Shares(constants.SecondDecay);
        for (nint i = 0; i < count; i += TSimd.Width)
        {
            var g = TSimd.Multiply(scale, TSimd.Load(gradient + i));
            var m = TSimd.MultiplyAdd(firstDecay, TSimd.Load(first + i), TSimd.Multiply(firstShare, g));
            var v = TSimd.MultiplyAdd(secondDecay, TSimd.Load(second + i), TSimd.Multiply(secondShare, TSimd.Multiply(g, g)));
            m = TSimd.Subtract(TSimd.Add(m, flush), flush);
            v = TSimd.Subtract(TSimd.Add(v, flush), flush);
            var change = TSimd.Divide(TSimd.Multiply(rateNow, m), TSimd.Add(TSimd.Sqrt(v), epsilon));
            TSimd.Store(first + i, m);
            TSimd.Store(second + i, v);
            TSimd.Store(value + i, TSimd.Subtract(TSimd.Multiply(keep, TSimd.Load(value + i)), change));
        }
    }

    /// <summary>Momentum with decoupled weight decay: v ← μ·v + g, θ ← (1 − lr·wd)·θ − lr·v.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Momentum(float* value, float* velocity, float* gradient, nint count, double decay, double rate, double weightDecay)
    {
        var (decayAll, rateAll) = (TSimd.Broadcast((float)decay), TSimd.Broadcast((float)rate));
        var (keep, flush) = (TSimd.Broadcast((float)(1 - (rate * weightDecay))), TSimd.Broadcast(Flush));
        for (nint i = 0; i < count; i += TSimd.Width)
        {
            var v = TSimd.MultiplyAdd(decayAll, TSimd.Load(velocity + i), TSimd.Load(gradient + i));
            v = TSimd.Subtract(TSimd.Add(v, flush), flush);
            TSimd.Store(velocity + i, v);
            TSimd.Store(value + i, TSimd.Subtract(TSimd.Multiply(keep, TSimd.Load(value + i)), TSimd.Multiply(rateAll, v)));
        }
    }

    /// <summary>Σ value².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float SumOfSquares(float* values, nint count)
    {
        var sum = TSimd.Zero;
        for (nint i = 0; i < count; i += TSimd.Width)
            sum = TSimd.MultiplyAdd(TSimd.Load(values + i), TSimd.Load(values + i), sum);
        return TSimd.Sum(sum);
    }

    private static (TVector Decay, TVector Share) Shares(double decay) =>
        (TSimd.Broadcast((float)decay), TSimd.Broadcast(1 - (float)decay));
}
