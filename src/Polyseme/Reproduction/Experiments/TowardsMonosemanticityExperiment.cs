using Polyseme.Runs;

namespace Polyseme.Reproduction.Experiments;

/// <summary>What is claimed about dictionaries learned on networks: listed until they can be checked.</summary>
public sealed class TowardsMonosemanticityExperiment : Experiment
{
    private const string Bricken = "Bricken et al. 2023";
    private const string Training = "gradient-trained dictionaries";

    /// <inheritdoc/>
    public override string Name => "towards-monosemanticity";

    /// <inheritdoc/>
    public override string Title => "dictionary learning on a one-layer transformer, and what dictionaries make up";

    /// <inheritdoc/>
    public override string Source =>
        "Bricken et al. 2023, Towards Monosemanticity; Circuits Updates, May 2023; Elhage et al. 2023, Privileged Bases in the Transformer Residual Stream";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation) =>
        new(
            "nothing yet",
            [
                ClaimRow.Pending(
                    "one-layer transformer on a grammar of planted token classes: median best |correlation| of latents, and of neurons, with a class",
                    Bricken,
                    "≥ .9, ≤ .6; on shuffled weights latents no better than neurons",
                    Training
                ),
                ClaimRow.Pending(
                    "a latent forced dead is revived by resampling within 2,000 steps",
                    Bricken,
                    "cos > .9 with an input of high loss",
                    Training
                ),
                ClaimRow.Pending(
                    "description length over dictionary size has its minimum, and agreement with the truth its maximum, at the true number of features",
                    "Circuits Updates, May 2023",
                    "a bounce",
                    Training
                ),
                ClaimRow.Pending(
                    "a transcoder of |x| on data with one point repeated (5 %) grows a latent for that point alone",
                    "A Toy Model of Mechanistic (Un)Faithfulness",
                    "cos > .95; none without the repetition",
                    Training
                ),
                ClaimRow.Pending(
                    "kurtosis of the residual stream's coordinates in a transformer trained by Adam, and after a random rotation",
                    "Elhage et al. 2023",
                    "> 3; 3",
                    "loaded networks"
                ),
            ],
            []
        );
}
