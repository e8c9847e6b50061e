using System.Runtime.CompilerServices;

namespace Polyseme.Tests;

/// <summary>
/// Text that a person has looked at and approved, kept under <c>Golden/</c> beside the test that makes it. When the text differs, what was received is written
/// beside the approved file; to approve it, look at it and rename it.
/// </summary>
internal static class ApprovedFile
{
    public static void Matches(string name, string received, [CallerFilePath] string test = "")
    {
        var approved = Path.Combine(Path.GetDirectoryName(test)!, "Golden", name);
        var beside = Path.ChangeExtension(approved, ".received" + Path.GetExtension(approved));
        var expected = File.Exists(approved) ? File.ReadAllText(approved).ReplaceLineEndings("\n") : null;
        if (expected == received)
        {
            File.Delete(beside);
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(approved)!);
        File.WriteAllText(beside, received);
        var at = expected is null ? 0 : expected.Zip(received).TakeWhile(pair => pair.First == pair.Second).Count();
        Assert.Fail(
            expected is null
                ? $"there is no approved file {approved}; look at {beside} and rename it"
                : $"{beside} differs from the approved file at character {at}: '{Around(expected, at)}' became '{Around(received, at)}'; look at it and rename it if it is right"
        );
    }

    private static string Around(string text, int at) => text[Math.Max(0, at - 20)..Math.Min(text.Length, at + 40)];
}
