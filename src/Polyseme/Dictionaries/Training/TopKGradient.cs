using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using Polyseme.Numerics;
using Polyseme.Numerics.Simd;
using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>
/// The gradient of a TopK dictionary worked out by hand. Only W_enc·(x − b) is dense; choosing costs one look at each pre-activation, and decoding and
/// both gradients touch the k chosen latents of each row. What <see cref="TopKKind.Loss"/> differentiates to.
/// </summary>
internal static class TopKGradient
{
    /// <summary>Rows whose pre-activations are in the cache at a time; pieces of work are of this size whatever the number of threads.</summary>
    public const int ChunkRows = 256;

    /// <summary>With the widest registers of this machine.</summary>
    public static IGradient Of(TopKKind kind) =>
        InstructionSets.Widest switch
        {
            InstructionSet.Vector512 => new TopKGradient<Simd512, Vector512<float>>(kind),
            InstructionSet.Vector256 => new TopKGradient<Simd256, Vector256<float>>(kind),
            _ => new TopKGradient<SimdScalar, float>(kind),
        };
}

/// <inheritdoc cref="TopKGradient"/>
internal sealed unsafe class TopKGradient<TSimd, TVector>(TopKKind kind) : IGradient
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>Latents whose gradients are summed in one piece of work.</summary>
    private const int ChunkLatents = 64;

    private readonly WorkerTeam _team = WorkerTeam.Shared;
    private Buffers? _buffers;

    /// <inheritdoc/>
    public GradientOutcome Of(LossInput input)
    {
        var k = kind.KAt(input);
        var buffers = _buffers is { } kept && kept.Fits(input, k) ? kept : _buffers = new Buffers(input, k, _team.Workers);
        var step = new Step(input, kind, k, buffers);
        _team.Run(buffers.RowChunks, step.EncodeAndDecode);
        buffers.SortByLatent();
        _team.Run(buffers.LatentChunks, step.SumGradients);
        step.SumBiasGradients();
        return new GradientOutcome(
            TensorPrimitives.Sum<double>(buffers.Losses) / buffers.Batch + step.Auxiliary(),
            (double)buffers.NActive / buffers.Batch,
            buffers.Fired(),
            null,
            () => input.Targets + buffers.Error
        );
    }

    /// <summary>One step: the pieces of work and what they read.</summary>
    private sealed class Step
    {
        private readonly LossInput _input;
        private readonly TopKKind _kind;
        private readonly int _k;
        private readonly Buffers _b;
        private readonly torch.Tensor _centred; // x − b, or x. [batch, d_in]
        private readonly torch.Tensor _encoder; // transposed, in the products' precision. [d_in, n_latents]
        private readonly float* _x; // inputs
        private readonly float* _y; // targets
        private readonly float* _c; // _centred
        private readonly float* _scale; // ‖W_dec,i‖, by which latents are chosen, or null
        private readonly float _mean; // 2 / batch
        private readonly WeightPointers _wEnc,
            _bEnc,
            _wDec,
            _bDec;

        public Step(LossInput input, TopKKind kind, int k, Buffers buffers)
        {
            (_input, _kind, _k, _b) = (input, kind, k, buffers);
            _mean = 2f / buffers.Batch;
            _x = DictionaryWeights.Pointer(input.Inputs);
            _y = DictionaryWeights.Pointer(input.Targets);
            _centred = input.SubtractsBias ? buffers.Centred : input.Inputs;
            _c = DictionaryWeights.Pointer(_centred);
            var weights = input.Weights;
            (_wEnc, _bEnc) = (weights.Pointers("encoder"), weights.Pointers("encoder_bias"));
            (_wDec, _bDec) = (weights.Pointers("decoder"), weights.Pointers("decoder_bias"));
            var encoder = weights.Encoder.detach().t();
            _encoder = InBFloat16 ? encoder.to(torch.bfloat16) : encoder;
            if (kind.Variant != AuxiliaryVariant.SaeLens)
                return;
            buffers.Norms.copy_(LossInput.Norms(weights.Decoder.detach()));
            _scale = DictionaryWeights.Pointer(buffers.Norms);
        }

        private bool InBFloat16 => _input.Config.Products == ProductPrecision.Bfloat16;

        /// <summary>A chunk of rows: pre-activations, the chosen latents, the error and dL/df.</summary>
        public void EncodeAndDecode(int worker, int chunk)
        {
            using var scope = torch.NewDisposeScope();
            using var noGradient = torch.no_grad();
            int first = chunk * TopKGradient.ChunkRows,
                count = Math.Min(TopKGradient.ChunkRows, _b.Batch - first);
            for (var row = first; _input.SubtractsBias && row < first + count; row++)
                RowKernels<TSimd, TVector>.ScaleAdd(_c + ((long)row * _b.DIn), -1, _bDec.Value, _x + ((long)row * _b.DIn), _b.DIn);
            var pre = _b.PreActivations[worker].narrow(0, 0, count);
            var rows = _centred.narrow(0, first, count);
            if (InBFloat16)
                pre.copy_(torch.mm(rows.to(torch.bfloat16), _encoder));
            else
                pre.addmm_(rows, _encoder, 0, 1);
            var z = DictionaryWeights.Pointer(pre);
            var sum = _b.ErrorSums.AsSpan(chunk * _b.DOut, _b.DOut);
            sum.Clear();
            double loss = 0;
            fixed (float* errorSum = sum)
            {
                for (var row = first; row < first + count; row++)
                {
                    var error = _b.ErrorData + ((long)row * _b.DOut);
                    Choose(worker, row, z + ((long)(row - first) * _b.NLatents));
                    Decode(row, error);
                    RowKernels<TSimd, TVector>.ScaleAdd(errorSum, _mean, error, errorSum, _b.DOut);
                    loss += RowKernels<TSimd, TVector>.Dot(error, error, _b.DOut);
                }
            }
            _b.Losses[chunk] = loss;
        }

        /// <summary>The gradients of a chunk of latents' encoder and decoder rows: sums over the rows that chose them.</summary>
        public void SumGradients(int worker, int chunk)
        {
            var pull = _b.BiasPulls.AsSpan(chunk * _b.DIn, _b.DIn);
            pull.Clear();
            int first = chunk * ChunkLatents,
                last = Math.Min(first + ChunkLatents, _b.NLatents);
            fixed (float* biasPull = pull)
            fixed (int* rows = _b.RowsByLatent)
            fixed (
                float* values = _b.ValuesByLatent,
                    slopes = _b.SlopesByLatent
            )
            {
                for (var latent = first; latent < last; latent++)
                {
                    int start = _b.Starts[latent],
                        count = _b.Starts[latent + 1] - start;
                    float* encoder = _wEnc.Gradient + ((long)latent * _b.DIn),
                        decoder = _wDec.Gradient + ((long)latent * _b.DOut);
                    new Span<float>(encoder, _b.DIn).Clear();
                    new Span<float>(decoder, _b.DOut).Clear();
                    RowKernels<TSimd, TVector>.AddRows(encoder, _c, rows + start, slopes + start, count, _b.DIn);
                    RowKernels<TSimd, TVector>.AddRows(decoder, _b.ErrorData, rows + start, values + start, count, _b.DOut);
                    var slope = TensorPrimitives.Sum<float>(_b.SlopesByLatent.AsSpan(start, count));
                    _bEnc.Gradient[latent] = slope;
                    if (_input.SubtractsBias)
                        RowKernels<TSimd, TVector>.ScaleAdd(biasPull, slope, _wEnc.Value + ((long)latent * _b.DIn), biasPull, _b.DIn);
                }
            }
        }

        /// <summary>dL/db_dec: through the reconstruction, and through what is encoded: Σ_rows Σ_i dL/dz_i·W_enc,i = Σ_i dL/db_enc,i·W_enc,i.</summary>
        public void SumBiasGradients()
        {
            var gradient = new Span<float>(_bDec.Gradient, _b.DOut);
            gradient.Clear();
            for (var chunk = 0; chunk < _b.RowChunks; chunk++)
                TensorPrimitives.Add(gradient, _b.ErrorSums.AsSpan(chunk * _b.DOut, _b.DOut), gradient);
            for (var chunk = 0; _input.SubtractsBias && chunk < _b.LatentChunks; chunk++)
                TensorPrimitives.Subtract(gradient, _b.BiasPulls.AsSpan(chunk * _b.DIn, _b.DIn), gradient);
        }

        /// <summary>The auxiliary loss; adds its gradient. Dense, over the dead latents alone.</summary>
        public double Auxiliary()
        {
            if (_input.Dead.Length == 0 || _kind.Auxiliary == 0)
                return 0;
            var dead = torch.tensor(_input.Dead);
            var weights = _input.Weights;
            torch.Tensor Leaf(torch.Tensor tensor) => tensor.requires_grad_(true);
            var encoder = Leaf(weights.Encoder.detach().index_select(0, dead));
            var encoderBias = Leaf(weights.EncoderBias.detach().index_select(0, dead));
            var decoder = Leaf(weights.Decoder.detach().index_select(0, dead));
            var decoderBias = Leaf(weights.DecoderBias.detach().clone());
            var seen = _input.SubtractsBias ? _input.Inputs - decoderBias : _input.Inputs;
            var pre = torch.mm(seen, encoder.t()) + encoderBias;
            var norms = _kind.Variant == AuxiliaryVariant.SaeLens ? LossInput.Norms(decoder) : null;
            var loss = AuxiliaryLoss.Of(
                norms is null ? pre : pre * norms,
                decoder,
                norms,
                _b.Error.neg(),
                _input.AuxiliaryLatents,
                _kind.Auxiliary,
                _kind.Variant
            );
            loss.backward();
            void Add(torch.Tensor weight, torch.Tensor leaf) => weight.grad!.index_add_(0, dead, leaf.grad!, 1);
            Add(weights.Encoder, encoder);
            Add(weights.EncoderBias, encoderBias);
            Add(weights.Decoder, decoder);
            if (decoderBias.grad is { } gradient)
                weights.DecoderBias.grad!.add_(gradient);
            return loss.item<float>();
        }

        private void Choose(int worker, int row, float* z)
        {
            var choice = _b.Choices[worker];
            var chosen = choice.Largest(z, _bEnc.Value, _scale, _k);
            var at = row * _b.Room;
            var kept = 0;
            foreach (var latent in chosen)
            {
                var value = InBFloat16
                    ? RowKernels<TSimd, TVector>.Dot(_c + ((long)row * _b.DIn), _wEnc.Value + ((long)latent * _b.DIn), _b.DIn)
                    : z[latent];
                value += _bEnc.Value[latent];
                if (!(value > 0))
                    continue;
                _b.Latents[at + kept] = latent;
                _b.Values[at + kept++] = value;
            }
            _b.Counts[row] = kept;
        }

        /// <summary>x̂ − x and dL/df of a row.</summary>
        private void Decode(int row, float* error)
        {
            var at = row * _b.Room;
            fixed (int* latents = &_b.Latents[at])
            fixed (
                float* values = &_b.Values[at],
                    slopes = &_b.Slopes[at]
            )
            {
                RowKernels<TSimd, TVector>.ScaleAdd(error, -1, _y + ((long)row * _b.DOut), _bDec.Value, _b.DOut);
                RowKernels<TSimd, TVector>.AddRows(error, _wDec.Value, latents, values, _b.Counts[row], _b.DOut);
                RowKernels<TSimd, TVector>.Dots(error, _wDec.Value, latents, _mean, slopes, _b.Counts[row], _b.DOut);
            }
        }
    }

    /// <summary>Finds the k largest values of a row that are above 0, by those of the rows before.</summary>
    /// <remarks>
    /// Values above a bound near the last row's k-th largest are gathered in one pass; only if they are fewer than k is the bound lowered. The result does
    /// not depend on the bound: of equal values the first count.
    /// </remarks>
    private sealed class Choice(int nLatents)
    {
        private readonly int[] _places = new int[nLatents];
        private readonly float[] _values = new float[nLatents];
        private readonly ulong[] _keys = new ulong[nLatents];
        private float _bound;

        /// <summary>Places of the k largest of scale·(z + bias), in rising order; fewer if fewer are above 0.</summary>
        public ReadOnlySpan<int> Largest(float* z, float* bias, float* scale, int k)
        {
            fixed (int* places = _places)
            fixed (float* values = _values)
            {
                int count;
                while ((count = RowKernels<TSimd, TVector>.Above(z, bias, scale, nLatents, _bound, places, values)) < k && _bound > 0)
                    _bound = _bound > 1e-6f ? _bound / 2 : 0;
                if (count <= k)
                    return _places.AsSpan(0, count);
                // Positive floats are ordered as their bits are.
                for (var i = 0; i < count; i++)
                    _keys[i] = ((ulong)BitConverter.SingleToUInt32Bits(values[i]) << 32) | ~(uint)places[i];
                var least = KthLargest(_keys.AsSpan(0, count), k);
                var kept = 0;
                for (var i = 0; i < count; i++)
                {
                    if ((((ulong)BitConverter.SingleToUInt32Bits(values[i]) << 32) | ~(uint)places[i]) >= least)
                        places[kept++] = places[i];
                }
                _bound = 0.8f * BitConverter.UInt32BitsToSingle((uint)(least >> 32));
                return _places.AsSpan(0, kept);
            }
        }

        /// <summary>Hoare's selection. Reorders.</summary>
        private static ulong KthLargest(Span<ulong> keys, int k)
        {
            int low = 0,
                high = keys.Length - 1,
                target = k - 1;
            while (low < high)
            {
                var pivot = keys[(low + high) / 2];
                int i = low,
                    j = high;
                while (i <= j)
                {
                    while (keys[i] > pivot)
                        i++;
                    while (keys[j] < pivot)
                        j--;
                    if (i > j)
                        break;
                    (keys[i], keys[j]) = (keys[j], keys[i]);
                    i++;
                    j--;
                }
                if (target <= j)
                    high = j;
                else if (target >= i)
                    low = i;
                else
                    break;
            }
            return keys[target];
        }
    }

    /// <summary>Memory of a step, kept for the next.</summary>
    private sealed class Buffers
    {
        public Buffers(LossInput input, int k, int workers)
        {
            (Batch, Room, NLatents) = ((int)input.Inputs.shape[0], k, input.Config.Latents);
            (DIn, DOut) = ((int)input.Inputs.shape[1], (int)input.Targets.shape[1]);
            (RowChunks, LatentChunks) = (Pieces(Batch, TopKGradient.ChunkRows), Pieces(NLatents, ChunkLatents));
            torch.Tensor Kept(params long[] shape) => torch.empty(shape).DetachFromDisposeScope();
            Centred = input.SubtractsBias ? Kept(Batch, DIn) : Kept(0);
            Error = Kept(Batch, DOut);
            ErrorData = DictionaryWeights.Pointer(Error);
            Norms = Kept(NLatents);
            PreActivations = [.. Enumerable.Range(0, workers).Select(_ => Kept(Math.Min(Batch, TopKGradient.ChunkRows), NLatents))];
            Choices = [.. Enumerable.Range(0, workers).Select(_ => new Choice(NLatents))];
            (Counts, Latents) = (new int[Batch], new int[Batch * Room]);
            (Values, Slopes) = (new float[Batch * Room], new float[Batch * Room]);
            (Starts, RowsByLatent) = (new int[NLatents + 1], new int[Batch * Room]);
            (ValuesByLatent, SlopesByLatent) = (new float[Batch * Room], new float[Batch * Room]);
            (Losses, ErrorSums, BiasPulls) = (new double[RowChunks], new float[RowChunks * DOut], new float[LatentChunks * DIn]);
        }

        public int Batch { get; }

        public int Room { get; } // for the latents of a row

        public int NLatents { get; }

        public int DIn { get; }

        public int DOut { get; }

        public int RowChunks { get; }

        public int LatentChunks { get; }

        public torch.Tensor Centred { get; } // x − b_dec [batch, d_in]

        public torch.Tensor Error { get; } // x̂ − x [batch, d_out]

        public float* ErrorData { get; }

        public torch.Tensor Norms { get; } // ‖W_dec,i‖ [n_latents]

        public torch.Tensor[] PreActivations { get; } // of a chunk, a worker each. [chunk rows, n_latents]

        public Choice[] Choices { get; } // a worker each

        public int[] Counts { get; } // latents that are on in a row [batch]

        public int[] Latents { get; } // which [batch, room]

        public float[] Values { get; } // f [batch, room]

        public float[] Slopes { get; } // dL/df [batch, room]

        public int[] Starts { get; } // of each latent in what follows [n_latents + 1]

        public int[] RowsByLatent { get; }

        public float[] ValuesByLatent { get; } // 2f / batch

        public float[] SlopesByLatent { get; }

        public double[] Losses { get; } // Σ ‖error‖² of a chunk of rows

        public float[] ErrorSums { get; } // 2/batch·Σ error of a chunk of rows [row chunks, d_out]

        public float[] BiasPulls { get; } // Σ dL/db_enc·W_enc of a chunk of latents [latent chunks, d_in]

        public int NActive => Starts[NLatents];

        /// <summary>Whether the step has these sizes; while k falls, memory follows it by halves.</summary>
        public bool Fits(LossInput input, int k) =>
            k <= Room && k > Room / 2 && input.Inputs.shape[0] == Batch && input.Inputs.shape[1] == DIn && input.Targets.shape[1] == DOut;

        /// <summary>Turns the lists of latents of each row into lists of rows of each latent, rows in rising order.</summary>
        public void SortByLatent()
        {
            Array.Clear(Starts);
            for (var row = 0; row < Batch; row++)
            {
                foreach (var latent in Latents.AsSpan(row * Room, Counts[row]))
                    Starts[latent + 1]++;
            }
            for (var latent = 0; latent < NLatents; latent++)
                Starts[latent + 1] += Starts[latent];
            var mean = 2f / Batch;
            for (var row = 0; row < Batch; row++)
            {
                for (var i = row * Room; i < (row * Room) + Counts[row]; i++)
                {
                    var at = Starts[Latents[i]]++;
                    (RowsByLatent[at], ValuesByLatent[at], SlopesByLatent[at]) = (row, mean * Values[i], Slopes[i]);
                }
            }
            // Each start has moved to where the next one was.
            Array.Copy(Starts, 0, Starts, 1, NLatents);
            Starts[0] = 0;
        }

        public bool[] Fired()
        {
            var fired = new bool[NLatents];
            for (var latent = 0; latent < NLatents; latent++)
                fired[latent] = Starts[latent + 1] > Starts[latent];
            return fired;
        }

        private static int Pieces(int all, int size) => (all + size - 1) / size;
    }
}
