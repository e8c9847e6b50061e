using System.Text.Json.Nodes;
using CsCheck;
using Polyseme.Dictionaries.Formats;

namespace Polyseme.Tests.Dictionaries.Formats;

public sealed class FloatTextTests
{
    // Left: repr() of Python 3.11. Right: the Rust crate ryu's "pretty" format, fixed for 1e-5 ≤ |x| < 1e16.
    [Theory]
    [InlineData(0.0, "0.0", "0.0")]
    [InlineData(-0.0, "-0.0", "-0.0")]
    [InlineData(1.0, "1.0", "1.0")]
    [InlineData(-2.5, "-2.5", "-2.5")]
    [InlineData(100.0, "100.0", "100.0")]
    [InlineData(0.1, "0.1", "0.1")]
    [InlineData(0.30000000000000004, "0.30000000000000004", "0.30000000000000004")]
    [InlineData(0.0001, "0.0001", "0.0001")]
    [InlineData(0.00012345, "0.00012345", "0.00012345")]
    [InlineData(1e-5, "1e-05", "0.00001")]
    [InlineData(1.5e-5, "1.5e-05", "0.000015")]
    [InlineData(1e-6, "1e-06", "1e-6")]
    [InlineData(1.25e-7, "1.25e-07", "1.25e-7")]
    [InlineData(1e-10, "1e-10", "1e-10")]
    [InlineData(1e15, "1000000000000000.0", "1000000000000000.0")]
    [InlineData(1e16, "1e+16", "1e16")]
    [InlineData(123456789012345680.0, "1.2345678901234568e+17", "1.2345678901234568e17")]
    [InlineData(1e22, "1e+22", "1e22")]
    [InlineData(1e100, "1e+100", "1e100")]
    [InlineData(5e-324, "5e-324", "5e-324")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e308")]
    [InlineData(0.10000000149011612, "0.10000000149011612", "0.10000000149011612")]
    public void Each_tool_writes_numbers_its_own_way(double value, string python, string orjson)
    {
        Assert.Equal(python, FloatText.Of(value, JsonDialect.Python));
        Assert.Equal(orjson, FloatText.Of(value, JsonDialect.Orjson));
    }

    [Fact]
    public void Every_number_reads_back_as_itself() =>
        Gen
            .Double.Where(double.IsFinite)
            .Sample(value =>
            {
                foreach (var dialect in Enum.GetValues<JsonDialect>())
                {
                    var text = FloatText.Of(value, dialect);
                    Assert.Equal(BitConverter.DoubleToInt64Bits(value), BitConverter.DoubleToInt64Bits(double.Parse(text)));
                    Assert.Equal(value, JsonNode.Parse(text)!.GetValue<double>());
                }
            });

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void What_JSON_cannot_hold_is_refused(double value) =>
        Assert.Throws<ArgumentException>(() => FloatText.Of(value, JsonDialect.Python));

    [Fact]
    public void Python_writes_spaces_and_escapes()
    {
        var node = JsonNode.Parse("""{"a":[1,2.0,1e-7,null,true],"b":{},"c":[],"é\u0001":"😀\"\\\n\u007f/"}""");
        Assert.Equal(
            """{"a": [1, 2.0, 1e-07, null, true], "b": {}, "c": [], "\u00e9\u0001": "\ud83d\ude00\"\\\n\u007f/"}""",
            ToolJson.Write(node, JsonDialect.Python)
        );
        Assert.Equal(
            "{\n  \"a\": [\n    1,\n    2.0\n  ],\n  \"b\": {}\n}",
            ToolJson.Write(JsonNode.Parse("""{"a":[1,2.0],"b":{}}"""), JsonDialect.Python, indent: 2)
        );
    }

    [Fact]
    public void Orjson_writes_no_spaces_and_UTF8()
    {
        var node = JsonNode.Parse("""{"a":[1,2.0,1e-7,null,true],"é\u0001":"😀\"\\\n\u007f/"}""");
        Assert.Equal("{\"a\":[1,2.0,1e-7,null,true],\"é\\u0001\":\"😀\\\"\\\\\\n\u007f/\"}", ToolJson.Write(node, JsonDialect.Orjson));
    }

    [Fact]
    public void Numbers_of_our_own_stay_floats_or_integers()
    {
        var node = new JsonObject
        {
            ["int"] = 2,
            ["double"] = 2.0,
            ["float"] = 0.1f,
        };
        Assert.Equal("""{"int": 2, "double": 2.0, "float": 0.10000000149011612}""", ToolJson.Write(node, JsonDialect.Python));
    }
}
