namespace Polyseme.Zoo.Training;

/// <summary>How the features of a group switch on.</summary>
public enum GroupRule
{
    /// <summary>Correlated: all members of an active group are active, their values independent.</summary>
    Together,

    /// <summary>Anticorrelated: exactly one member of an active group is active, each equally often.</summary>
    OneAtATime,
}

/// <summary>Where the inputs of a toy model come from.</summary>
public abstract record ToyInputs
{
    private ToyInputs() { }

    /// <summary>
    /// Fresh inputs at every step: features come in groups that are active with probability <paramref name="Density"/>, independently of
    /// each other, and an active feature is uniform in [<see cref="Low"/>, <see cref="High"/>), independently of the others of its group.
    /// </summary>
    /// <param name="Density">Probability that a group is active, 1 − S; the highest of them where they differ. In [1e-5, 1].</param>
    /// <param name="GroupSize">Features per group, one after the other: 1 = independent features, 2 = pairs. Divides the number of features.</param>
    public sealed record Fresh(double Density, int GroupSize = 1) : ToyInputs
    {
        /// <summary>Below this, 24 random bits no longer hold a probability to within a percent.</summary>
        public const double LowestDensity = 1e-5;

        /// <summary>As <see cref="LowestDensity"/>, where groups differ: these draws have 32 bits.</summary>
        public const double LowestUnequalDensity = 1e-7;

        /// <summary>Groups that differ in density.</summary>
        /// <param name="densities">One per group, in order, each in [1e-7, 1]. Shape: <c>[n_features / groupSize]</c>.</param>
        /// <param name="groupSize">Features per group.</param>
        /// <exception cref="ArgumentException">No densities.</exception>
        public Fresh(IReadOnlyList<double> densities, int groupSize = 1)
            : this(
                densities.Count > 0 ? densities.Max() : throw new ArgumentException("there are no densities", nameof(densities)),
                groupSize
            ) => Densities = densities;

        /// <summary>The density of each group, none above <see cref="Density"/>; <c>null</c> = that one for all. Shape: <c>[n_features / GroupSize]</c>.</summary>
        public IReadOnlyList<double>? Densities { get; init; }

        /// <summary>How the features of a group switch on.</summary>
        public GroupRule Rule { get; init; }

        /// <summary>The lowest value of an active feature.</summary>
        public float Low { get; init; }

        /// <summary>What the values of an active feature stay below.</summary>
        public float High { get; init; } = 1;

        /// <summary>The share of entries that are active.</summary>
        internal double MeanDensity => (Densities?.Average() ?? Density) / (Rule == GroupRule.OneAtATime ? GroupSize : 1);

        internal override void Check(int features)
        {
            Require(
                GroupSize >= 1 && features % Math.Max(1, GroupSize) == 0,
                $"{features} features do not fall into groups of {GroupSize}; the group size divides the number of features"
            );
            Require(Enum.IsDefined(Rule), $"rule is {Rule}; it is {GroupRule.Together} or {GroupRule.OneAtATime}");
            Require(
                float.IsFinite(Low) && float.IsFinite(High) && Low < High,
                $"values range from {Low} to {High}; both are finite and they ascend"
            );
            Require(float.IsFinite(High - Low), $"values range from {Low} to {High}; that is wider than {float.MaxValue}");
            if (Densities is null)
            {
                Require(Density is >= LowestDensity and <= 1, $"density is {Density}; it ranges from {LowestDensity} to 1");
                return;
            }
            Require(Density is >= LowestUnequalDensity and <= 1, $"density is {Density}; it ranges from {LowestUnequalDensity} to 1");
            Require(
                Densities.Count == features / GroupSize,
                $"there are {Densities.Count} densities, but {features / GroupSize} groups of {GroupSize}"
            );
            for (var group = 0; group < Densities.Count; group++)
            {
                if (!(Densities[group] >= LowestUnequalDensity && Densities[group] <= Density))
                    Require(
                        false,
                        $"density {group} is {Densities[group]}; it ranges from {LowestUnequalDensity} to the highest, {Density}"
                    );
            }
        }
    }

    /// <summary>A fixed set of data points.</summary>
    /// <param name="Rows">The points.</param>
    /// <param name="WholeSetEveryStep">Whether each step sees all of them in order, or a batch drawn with replacement.</param>
    public sealed record DataSet(SparseRows Rows, bool WholeSetEveryStep) : ToyInputs
    {
        internal override void Check(int features)
        {
            Require(Rows.Width == features, $"data rows are {Rows.Width} wide, but there are {features} features");
            Require(Rows.Count >= 1, "the data set has no rows");
        }
    }

    /// <summary>Refuses what cannot be inputs of so many features.</summary>
    /// <exception cref="ArgumentException">Says which value, and its range.</exception>
    internal abstract void Check(int features);

    private static void Require(bool holds, string message)
    {
        if (!holds)
            throw new ArgumentException(message);
    }
}
