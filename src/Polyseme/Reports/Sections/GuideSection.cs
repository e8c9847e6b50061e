using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Sections;

/// <summary>What the causes mean, and what a report like this cannot tell.</summary>
internal static class GuideSection
{
    private static readonly (string Title, string Text)[] Limits =
    [
        (
            "It knows no more than it was given.",
            "From activations alone some causes cannot be told apart by any method; concepts, the network or the ground truth are needed. Access A is activations, C concepts, W the network, T the truth. Below the level it needs, a verdict is a set, not a guess."
        ),
        (
            "A set is only as good as its calibration.",
            "Its coverage holds for layers like those the judge was calibrated on. Where a layer is marked as unlike them, nothing is promised."
        ),
        (
            "What never fires here is not seen.",
            "A feature that is absent from these rows counts neither as a direction nor as a neuron's second meaning."
        ),
        (
            "A concept is a label, not a feature.",
            "A neuron that fires on two labels may follow one quantity that nobody named; a low AUC may mean a bad label. Only the concepts given were tried."
        ),
        (
            "A null is a comparison, not an explanation.",
            "Beating it says that there is structure of the kind measured, not that the named cause is the only one. With few draws the p-value has a floor; the distance in standard deviations then says more."
        ),
        ("Use is not shown.", "That information can be decoded does not say that the network uses it. That takes interventions."),
    ];

    public static void Write(HtmlWriter html)
    {
        using (html.Open("section", ("id", "causes"), ("aria-labelledby", "causes-title")))
        {
            html.Leaf("h2", "Five reasons why a neuron fires on unrelated concepts", ("id", "causes-title"));
            using (html.Open("dl", ("class", "causes")))
            {
                foreach (var cause in Causes.All)
                    using (html.Open("div"))
                    {
                        using (html.Open("dt"))
                            html.Chip(cause);
                        html.Leaf("dd", CauseMarks.Meaning(cause));
                    }
            }
            using (html.Open("p", ("class", "note")))
            {
                html.Chip("mixed");
                html.Text(" means that two causes each explain a good part of the layer; ");
                html.Chip("undetermined");
                html.Text(" that the evidence does not decide, with the reason.");
            }
        }
        using (html.Open("section", ("id", "limits"), ("aria-labelledby", "limits-title")))
        {
            html.Leaf("h2", "What this cannot tell you", ("id", "limits-title"));
            using (html.Open("ul", ("class", "limits")))
            {
                foreach (var (title, text) in Limits)
                    using (html.Open("li"))
                    {
                        html.Leaf("b", title);
                        html.Text(" " + text);
                    }
            }
        }
    }
}
