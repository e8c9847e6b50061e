using Polyseme.Activations;

namespace Polyseme.Tests.Activations;

public sealed class TokenFileTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_list_of_strings_is_read_and_equal_ones_are_shared()
    {
        var tokens = TokenFile.Read(_files.Write("t.json", "\uFEFF [\"a\", \"\\u00e9\\n\", \"a\"]\n"), 3);
        Assert.Equal(["a", "é\n", "a"], tokens);
        Assert.Same(tokens[0], tokens[2]);
    }

    [Theory]
    [InlineData("{}", "is not a list of tokens; found JSON StartObject")]
    [InlineData("[\"a\", 1]", "found Number as token 1; expected a string")]
    [InlineData("[\"a\", null]", "found Null as token 1")]
    [InlineData("[\"a\", [\"b\"]]", "found StartArray as token 1")]
    [InlineData("[\"a\"]", "another length than the activations; found 1 tokens; expected 2")]
    [InlineData("[\"a\", \"b\"] x", "is not valid JSON")]
    [InlineData("[\"a\", \"b\"", "is not valid JSON")]
    [InlineData("[\"a\", \"\\ud800\"]", "is not valid JSON")]
    [InlineData("", "is empty")]
    public void Anything_else_is_refused_with_the_reason(string text, string message)
    {
        var path = _files.Write("t.json", text);
        var e = Assert.Throws<InputException>(() => TokenFile.Read(path, 2));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_stays_one_line_whatever_the_parser_stumbled_over()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "tokens.json");
        File.WriteAllText(path, "[\"a\", fe\n\r`5]");
        var message = Assert.Throws<InputException>(() => TokenFile.Read(path, 2)).Message;
        Assert.DoesNotContain(message, char.IsControl);
        Assert.Contains("is not valid JSON", message);
    }
}
