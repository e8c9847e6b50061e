namespace Polyseme.Zoo;

/// <summary>What the configurations of all trained two-layer networks share.</summary>
public abstract record LayerNetConfig : ZooConfig
{
    /// <summary>Models trained. In 1 … 1,000.</summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 4;

    /// <summary>Training steps. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 10_000;

    /// <summary>Samples per step. In 1 … 65,536.</summary>
    public int Batch
    {
        get;
        init => field = Allowed.Between(value, 1, 65_536);
    } = 256;

    /// <summary>The optimiser's highest learning rate. In 1e-6 … 10.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 10);
    } = 3e-3;
}
