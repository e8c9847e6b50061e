using Polyseme.Activations;
using Polyseme.Numerics;
using TorchSharp;
using TorchSharp.Modules;

namespace Polyseme.Evidence;

/// <summary>How probes are fitted.</summary>
public sealed record ProbeLadderConfig
{
    /// <summary>Share of the groups held out.</summary>
    public double HeldOut { get; init; } = 0.3;

    /// <summary>Ridge penalties tried, per row.</summary>
    public IReadOnlyList<double> Ridges { get; init; } = [1e-5, 1e-3, 1e-1];

    /// <summary>Hidden units of the non-linear probe.</summary>
    public int Hidden { get; init; } = 64;

    /// <summary>Levels that each independent component is cut into for the binned probe.</summary>
    public int Bins { get; init; } = 16;

    /// <summary>Most components for which the binned probe is fitted.</summary>
    public int MaxBinnedComponents { get; init; } = 32;

    /// <summary>Optimiser steps of the probes that are trained.</summary>
    public int Steps { get; init; } = 500;

    /// <summary>Rows a step.</summary>
    public int Batch { get; init; } = 256;

    /// <summary>Permuted copies of the labels that the linear probe is also fitted to.</summary>
    public int NullDraws { get; init; } = 20;

    /// <summary>Most permuted columns in all; with many concepts there are fewer draws.</summary>
    public int MaxNullColumns { get; init; } = 400;
}

/// <summary>Held-out R² of one concept under each read-out; at most 1, and below 0 where the read-out is worse than the mean.</summary>
public sealed record ConceptReadout(int Concept, double Linear, double ReluLinear, double SparseCode, double Binned, double Mlp)
{
    /// <summary>The best of the ladder.</summary>
    public double Best => Math.Max(BestOfDirections, Math.Max(Binned, Mlp));

    /// <summary>The best read-out that superposition or rotation allows: linear, ReLU-linear, or from a sparse code.</summary>
    public double BestOfDirections => Math.Max(Linear, Math.Max(ReluLinear, SparseCode));
}

/// <summary>
/// How each concept can be read from the layer, on groups of rows that no probe has seen: linearly, by a direction and a ReLU, from a sparse code, and
/// by a network with a hidden layer.
/// </summary>
/// <remarks>
/// The gap between predictive families is V-information (Xu et al. 2020). A gap between linear and MLP alone would call superposition non-linear,
/// so the two rungs between them are read-outs that superposition does allow. Control task: Hewitt and Liang 2019, labels permuted by group.
/// </remarks>
public sealed record ProbeLadder
{
    /// <summary>The configuration.</summary>
    public required ProbeLadderConfig Config { get; init; }

    /// <summary>One per usable concept.</summary>
    public required IReadOnlyList<ConceptReadout> Readouts { get; init; }

    /// <summary>Linear R² of labels permuted by group, over all concepts and draws.</summary>
    public required NullSummary LinearNull { get; init; }

    /// <summary>MLP R² of labels permuted by group, one draw, over all concepts.</summary>
    public required NullSummary MlpNull { get; init; }

    /// <summary>R² above which a concept is represented: five hundredths above what permuted labels reach.</summary>
    public double Floor => 0.05 + Math.Max(0, Math.Max(LinearNull.Mean + (2 * LinearNull.Sd), MlpNull.Mean + (2 * MlpNull.Sd)));

    /// <summary>Fits the ladder.</summary>
    /// <param name="whitened">Whitened rows. Shape: <c>[n_samples, dimensions]</c>.</param>
    /// <param name="components">Independent components of the same rows. Shape: <c>[n_samples, n_components]</c>.</param>
    /// <param name="codes">Latent activations of a dictionary on the same rows. Shape: <c>[n_samples, n_latents]</c>.</param>
    /// <param name="concepts">The concepts in columns.</param>
    /// <param name="groups">The unit of the split.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="cancellation">Checked once a step.</param>
    public static ProbeLadder Measure(
        Matrix whitened,
        Matrix components,
        Matrix codes,
        ConceptColumns concepts,
        RowGroups groups,
        ProbeLadderConfig config,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var (learn, test) = groups.Split(config.HeldOut, new RandomStream(seed, "probes/split"));
        var task = new Task(concepts, learn, test);
        var inputs = (Learn: whitened.SelectRows(learn), Test: whitened.SelectRows(test));
        var linear = task.Score(Ridge(inputs.Learn, inputs.Test, task, config));
        var sparse = task.Score(Ridge(codes.SelectRows(learn), codes.SelectRows(test), task, config));
        var relu = task.Score(Trained(inputs.Learn, inputs.Test, task, 0, config, new RandomStream(seed, "probes/relu"), cancellation));
        var bins = Binned(components, config);
        var binned = bins is null ? linear : task.Score(Ridge(bins.SelectRows(learn), bins.SelectRows(test), task, config));
        var mlp = task.Score(
            Trained(inputs.Learn, inputs.Test, task, config.Hidden, config, new RandomStream(seed, "probes/mlp"), cancellation)
        );
        var permuted = Permuted(concepts, groups, config, seed);
        var permutedTask = new Task(permuted, learn, test);
        var linearNull = permutedTask.Score(Ridge(inputs.Learn, inputs.Test, permutedTask, config));
        var oneDraw = new Task(Permuted(concepts, groups, config with { NullDraws = 1 }, seed + 1), learn, test);
        var mlpNull = oneDraw.Score(
            Trained(inputs.Learn, inputs.Test, oneDraw, config.Hidden, config, new RandomStream(seed, "probes/mlp-null"), cancellation)
        );
        return new ProbeLadder
        {
            Config = config,
            Readouts =
            [
                .. concepts.Usable.Select(concept => new ConceptReadout(
                    concept,
                    linear[concept],
                    relu[concept],
                    sparse[concept],
                    binned[concept],
                    mlp[concept]
                )),
            ],
            LinearNull = NullSummary.Of("permuted_labels", [.. linearNull.Values]),
            MlpNull = NullSummary.Of("permuted_labels", [.. mlpNull.Values]),
        };
    }

    /// <summary>
    /// Indicator of the quantile bin that each component falls into: any function of one component at a time, summed. It reads codes that wrap round
    /// along a line, which a small network learns badly. Shape: <c>[n_samples, n_components · bins]</c>, or <c>null</c> for too many components.
    /// </summary>
    private static Matrix? Binned(Matrix components, ProbeLadderConfig config)
    {
        if (components.Columns > config.MaxBinnedComponents)
            return null;
        var bins = new Matrix(components.Rows, components.Columns * config.Bins);
        for (var c = 0; c < components.Columns; c++)
        {
            var sorted = components.Column(c);
            Array.Sort(sorted);
            for (var i = 0; i < components.Rows; i++)
            {
                var at = Array.BinarySearch(sorted, components[i, c]);
                var rank = (at < 0 ? ~at : at) / (double)sorted.Length;
                bins[i, (c * config.Bins) + Math.Min(config.Bins - 1, (int)(rank * config.Bins))] = 1;
            }
        }
        return bins;
    }

    /// <summary>Copies of the concepts with the labels moved between groups; row order within a group is kept where sizes allow.</summary>
    private static ConceptColumns Permuted(ConceptColumns concepts, RowGroups groups, ProbeLadderConfig config, ulong seed)
    {
        var columns = concepts.Values.Columns;
        var draws = Math.Clamp(config.MaxNullColumns / Math.Max(1, columns), 1, config.NullDraws);
        var values = new Matrix(concepts.Values.Rows, columns * draws);
        var conceptOf = new int[columns * draws];
        var random = new RandomStream(seed, "probes/permuted");
        var present = new Dictionary<int, bool[]>();
        var rowsOf = Enumerable
            .Range(0, groups.Ids.Length)
            .GroupBy(row => groups.Ids[row])
            .OrderBy(group => group.Key)
            .Select(group => group.ToArray())
            .ToArray();
        for (var draw = 0; draw < draws; draw++)
        {
            var source = new int[values.Rows];
            var order = random.Permutation(groups.Count);
            for (var g = 0; g < groups.Count; g++)
            {
                var (to, from) = (rowsOf[g], rowsOf[order[g]]);
                for (var i = 0; i < to.Length; i++)
                    source[to[i]] = from[i % from.Length];
            }
            for (var j = 0; j < columns; j++)
            {
                var at = (draw * columns) + j;
                conceptOf[at] = (draw * 1_000_000) + concepts.ConceptOf[j];
                for (var i = 0; i < values.Rows; i++)
                    values[i, at] = concepts.Values[source[i], j];
                present[conceptOf[at]] = Array.ConvertAll(source, row => concepts.Present[concepts.ConceptOf[j]][row]);
            }
        }
        return new ConceptColumns(values, present, conceptOf, [.. present.Keys], new Dictionary<int, string>());
    }

    /// <summary>Ridge regression on the learned groups, its penalty chosen on a fifth of them.</summary>
    private static Matrix Ridge(Matrix learn, Matrix test, Task task, ProbeLadderConfig config)
    {
        var inner = Math.Max(1, learn.Rows / 5);
        int[] fit = [.. Enumerable.Range(inner, learn.Rows - inner)],
            check = [.. Enumerable.Range(0, inner)];
        var best = (Ridge: config.Ridges[0], Error: double.MaxValue);
        if (fit.Length > 1 && config.Ridges.Count > 1)
        {
            foreach (var ridge in config.Ridges)
            {
                var guess = Regress(learn.SelectRows(fit), task.Learn.SelectRows(fit), learn.SelectRows(check), ridge);
                var target = task.Learn.SelectRows(check);
                var error = guess.Data.Zip(target.Data, (a, b) => (a - b) * (a - b)).Sum();
                if (error < best.Error)
                    best = (ridge, error);
            }
        }
        return Regress(learn, task.Learn, test, best.Ridge);
    }

    private static Matrix Regress(Matrix inputs, Matrix targets, Matrix at, double ridge)
    {
        var weights = LinearAlgebra.Ridge(WithOnes(inputs), targets, ridge * inputs.Rows);
        return LinearAlgebra.Multiply(WithOnes(at), weights);
    }

    private static Matrix WithOnes(Matrix rows)
    {
        var extended = new Matrix(rows.Rows, rows.Columns + 1);
        for (var i = 0; i < rows.Rows; i++)
        {
            rows.Row(i).CopyTo(extended.Row(i));
            extended[i, rows.Columns] = 1;
        }
        return extended;
    }

    /// <summary>
    /// A trained read-out: with no hidden units, scale · ReLU(w · z + b) + offset for each column; else one hidden ReLU layer shared by all columns. Adam,
    /// the learning rate falling to zero; the last tenth of the learned rows chooses the step to keep.
    /// </summary>
    private static Matrix Trained(
        Matrix learn,
        Matrix test,
        Task task,
        int hidden,
        ProbeLadderConfig config,
        RandomStream random,
        CancellationToken cancellation
    )
    {
        using var scope = torch.NewDisposeScope();
        var check = Math.Max(1, learn.Rows / 10);
        var inputs = LinearAlgebra.ToTensor(learn).to(torch.float32);
        var targets = LinearAlgebra.ToTensor(task.Learn).to(torch.float32);
        var mask = LinearAlgebra.ToTensor(task.LearnMask).to(torch.float32);
        var last = LinearAlgebra.ToTensor(test).to(torch.float32);
        Parameter[] weights = [.. Start(learn, task, hidden, random).Select(weight => new Parameter(weight))];
        torch.Tensor Output(torch.Tensor rows) =>
            hidden == 0
                ? ((torch.addmm(weights[1], rows, weights[0], 1, 1).relu() * weights[2]) + weights[3])
                : torch.addmm(weights[3], torch.addmm(weights[1], rows, weights[0], 1, 1).relu(), weights[2], 1, 1);
        using var optimiser = torch.optim.AdamW(weights, lr: 5e-3, weight_decay: hidden == 0 ? 0 : 1e-3);
        var (bestError, best) = (double.MaxValue, (torch.Tensor?)null);
        for (var step = 0; step < config.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = torch.NewDisposeScope();
            foreach (var group in optimiser.ParamGroups)
                group.LearningRate = 5e-3 * Math.Cos(Math.PI / 2 * step / config.Steps);
            var rows = new long[config.Batch];
            for (var i = 0; i < rows.Length; i++)
                rows[i] = random.NextInt(Math.Max(1, learn.Rows - check));
            var batch = torch.tensor(rows);
            optimiser.zero_grad();
            var error = (
                (Output(inputs.index_select(0, batch)) - targets.index_select(0, batch)).square() * mask.index_select(0, batch)
            ).mean();
            error.backward();
            optimiser.step();
            if (step % 100 != 99 && step != config.Steps - 1)
                continue;
            using var quiet = torch.no_grad();
            var from = learn.Rows - check;
            var held = ((Output(inputs.narrow(0, from, check)) - targets.narrow(0, from, check)).square() * mask.narrow(0, from, check))
                .mean()
                .item<float>();
            if (held < bestError)
            {
                bestError = held;
                best?.Dispose();
                best = Output(last).to(torch.float64).MoveToOuterDisposeScope();
            }
        }
        return best is null ? new Matrix(test.Rows, task.Learn.Columns) : LinearAlgebra.ToMatrix(best);
    }

    private static torch.Tensor[] Start(Matrix learn, Task task, int hidden, RandomStream random)
    {
        var columns = task.Learn.Columns;
        torch.Tensor Tensor(Matrix matrix) => LinearAlgebra.ToTensor(matrix).to(torch.float32).clone();
        if (hidden > 0)
        {
            var first = random.NormalMatrix(learn.Columns, hidden);
            for (var i = 0; i < first.Data.Length; i++)
                first.Data[i] *= Math.Sqrt(2.0 / learn.Columns);
            var second = random.NormalMatrix(hidden, columns);
            for (var i = 0; i < second.Data.Length; i++)
                second.Data[i] *= Math.Sqrt(1.0 / hidden);
            return [Tensor(first), torch.zeros(hidden), Tensor(second), torch.zeros(columns)];
        }
        // The ReLU starts open: at the linear read-out, shifted up by two deviations of its output.
        var linear = LinearAlgebra.Ridge(learn, task.Learn, 1e-3 * learn.Rows);
        return [Tensor(linear), torch.full(columns, 0.5f), torch.ones(columns), torch.full(columns, -0.5f)];
    }

    /// <summary>Targets on both sides of the split, and their score.</summary>
    private sealed class Task
    {
        private readonly ConceptColumns _concepts;
        private readonly int[] _testRows;

        public Task(ConceptColumns concepts, int[] learn, int[] test)
        {
            (_concepts, _testRows) = (concepts, test);
            Learn = concepts.Values.SelectRows(learn);
            LearnMask = new Matrix(learn.Length, concepts.Values.Columns);
            for (var j = 0; j < LearnMask.Columns; j++)
            {
                var present = concepts.Present[concepts.ConceptOf[j]];
                for (var i = 0; i < learn.Length; i++)
                    LearnMask[i, j] = present[learn[i]] ? 1 : 0;
            }
        }

        /// <summary>Shape: <c>[n_learn, n_columns]</c>.</summary>
        public Matrix Learn { get; }

        /// <summary>1 where the concept is known. Shape: <c>[n_learn, n_columns]</c>.</summary>
        public Matrix LearnMask { get; }

        /// <summary>R² per concept on the held-out rows, columns pooled by their variance. Guessing the learned mean scores about 0.</summary>
        public Dictionary<int, double> Score(Matrix guess)
        {
            var score = new Dictionary<int, double>();
            foreach (var concept in _concepts.Usable)
            {
                var present = _concepts.Present[concept];
                double wrong = 0,
                    total = 0;
                foreach (var column in _concepts.ColumnsOf(concept))
                {
                    var rows = Enumerable.Range(0, _testRows.Length).Where(i => present[_testRows[i]]).ToArray();
                    var mean = rows.Length == 0 ? 0 : rows.Average(i => _concepts.Values[_testRows[i], column]);
                    foreach (var i in rows)
                    {
                        var target = _concepts.Values[_testRows[i], column];
                        wrong += (target - guess[i, column]) * (target - guess[i, column]);
                        total += (target - mean) * (target - mean);
                    }
                }
                score[concept] = total > 0 ? 1 - (wrong / total) : 0;
            }
            return score;
        }
    }
}
