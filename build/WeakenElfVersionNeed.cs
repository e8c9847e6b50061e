using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Copies an ELF64 little-endian shared object, marking the named symbol-version needs weak.</summary>
public class WeakenElfVersionNeed : Task
{
    const uint SectionGnuVerNeed = 0x6ffffffe;
    const ushort FlagWeak = 0x2;

    [Required] public string Source { get; set; }
    [Required] public string Destination { get; set; }
    [Required] public string[] Versions { get; set; }

    public override bool Execute()
    {
        var image = File.ReadAllBytes(Source);
        if (!IsElf64LittleEndian(image))
        {
            Log.LogError("{0} is not a 64-bit little-endian ELF file.", Source);
            return false;
        }

        var weakened = 0;
        var sections = (long)BitConverter.ToUInt64(image, 0x28);
        int sectionSize = BitConverter.ToUInt16(image, 0x3A), sectionCount = BitConverter.ToUInt16(image, 0x3C);
        for (var i = 0; i < sectionCount; i++)
        {
            var header = sections + (long)i * sectionSize;
            if (BitConverter.ToUInt32(image, (int)header + 4) != SectionGnuVerNeed) continue;
            var strings = sections + (long)BitConverter.ToUInt32(image, (int)header + 40) * sectionSize;
            weakened += Weaken(image, (long)BitConverter.ToUInt64(image, (int)header + 24), (long)BitConverter.ToUInt64(image, (int)strings + 24));
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Destination));
        var temporary = Destination + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(temporary, image);
        if (File.Exists(Destination)) File.Delete(Destination);
        File.Move(temporary, Destination);
        Log.LogMessage(MessageImportance.Normal, "{0}: {1} version need(s) marked weak in {2}", Path.GetFileName(Source), weakened, Destination);
        return !Log.HasLoggedErrors;
    }

    int Weaken(byte[] image, long need, long strings)
    {
        var weakened = 0;
        while (true)
        {
            int count = BitConverter.ToUInt16(image, (int)need + 2);
            var aux = need + BitConverter.ToUInt32(image, (int)need + 8);
            for (var i = 0; i < count; i++)
            {
                var name = ReadString(image, strings + BitConverter.ToUInt32(image, (int)aux + 8));
                if (Array.IndexOf(Versions, name) >= 0 && (image[aux + 4] & FlagWeak) == 0)
                {
                    image[aux + 4] |= (byte)FlagWeak;
                    weakened++;
                }
                aux += BitConverter.ToUInt32(image, (int)aux + 12);
            }
            var next = BitConverter.ToUInt32(image, (int)need + 12);
            if (next == 0) return weakened;
            need += next;
        }
    }

    static bool IsElf64LittleEndian(byte[] b)
    {
        return b.Length > 64 && b[0] == 0x7f && b[1] == 'E' && b[2] == 'L' && b[3] == 'F' && b[4] == 2 && b[5] == 1;
    }

    static string ReadString(byte[] b, long at)
    {
        var end = Array.IndexOf(b, (byte)0, (int)at);
        return Encoding.ASCII.GetString(b, (int)at, end - (int)at);
    }
}
