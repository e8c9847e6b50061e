namespace Polyseme.Tests;

/// <summary>The checkout that these tests were built from: the nearest folder above them that holds the solution.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    public static string File(string relative) => Path.Combine(Root, relative);

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(at.FullName, "Polyseme.slnx")))
                return at.FullName;
        }
        throw new InvalidOperationException($"there is no Polyseme.slnx above {AppContext.BaseDirectory}");
    }
}
