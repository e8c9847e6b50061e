using System.Text.Json;
using Polyseme.Runs;

namespace Polyseme.Reproduction;

/// <summary>A folder of experiments that have been run: per experiment <c>NAME.json</c> and its figures; beside the folder, the table <c>FOLDER.md</c>.</summary>
/// <param name="folder">The run folder.</param>
public sealed class ReproductionFiles(RunFolder folder)
{
    /// <summary>The table's path.</summary>
    public string TablePath => Path.TrimEndingDirectorySeparator(folder.Path) + ".md";

    /// <summary>Writes an experiment: its figures, then its record, so that a record stands for everything that belongs to it.</summary>
    /// <param name="experiment">The experiment.</param>
    /// <param name="config">How it was run.</param>
    /// <param name="result">What it found.</param>
    /// <param name="threads">Threads used.</param>
    /// <param name="seconds">How long it took.</param>
    public ReproductionRecord Write(Experiment experiment, ReproductionConfig config, ExperimentResult result, int threads, double seconds)
    {
        var figures = new List<FigureFile>();
        foreach (var figure in result.Figures)
        {
            var file = $"{experiment.Name}-{figure.Name}";
            folder.WriteText($"{file}.svg", figure.Svg());
            var png = figure.Png();
            AtomicFile.Write(folder.File($"{file}.png"), stream => stream.Write(png));
            figures.Add(new FigureFile(file, figure.Title, figure.Caption));
        }
        var record = new ReproductionRecord
        {
            Name = experiment.Name,
            Title = experiment.Title,
            Source = experiment.Source,
            Size = config.Size,
            Seed = config.Seed,
            Threads = threads,
            Ran = result.Ran,
            Seconds = seconds,
            Rows = result.Rows,
            Figures = figures,
        };
        folder.WriteJson($"{experiment.Name}.json", record);
        return record;
    }

    /// <summary>The record of an experiment, if this version of the library has run it with this configuration.</summary>
    /// <returns><c>null</c> when it has not, or its record cannot be read.</returns>
    public ReproductionRecord? Read(string name, ReproductionConfig config)
    {
        if (ReadAny(name) is not { } record)
            return null;
        return (record.Polyseme, record.Size, record.Seed) == (CodeVersion.Full, config.Size, config.Seed) ? record : null;
    }

    /// <summary>The record of an experiment, whatever version and configuration made it.</summary>
    /// <returns><c>null</c> when there is none, or it cannot be read.</returns>
    public ReproductionRecord? ReadAny(string name)
    {
        var path = folder.File($"{name}.json");
        if (!File.Exists(path))
            return null;
        try
        {
            return Json.Read<ReproductionRecord>(File.ReadAllText(path));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes the table.</summary>
    public void WriteTable(IReadOnlyList<ReproductionRecord> records)
    {
        var figures = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path)));
        AtomicFile.WriteText(TablePath, ReproductionTable.Markdown(records, figures));
    }
}
