#!/usr/bin/env python3
"""Makes this directory's files from the extraction's raw output.

    make.py FFN0.safetensors CONCEPTS.safetensors TOKENS.json [OUT_DIR]

Needs numpy. The activations become a deflated .npz of little-endian arrays with fixed time stamps, so that the same input
gives the same bytes with the same zlib; concepts and tokens are copied as they are.
"""

import io
import json
import pathlib
import shutil
import struct
import sys
import zipfile

import numpy as np

DTYPES = {"F16": "<f2", "I32": "<i4", "U8": "|u1"}


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    (header_length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + header_length])
    body = data[8 + header_length :]
    tensors = {}
    for name, info in header.items():
        if name != "__metadata__":
            begin, end = info["data_offsets"]
            tensors[name] = np.frombuffer(body[begin:end], DTYPES[info["dtype"]]).reshape(info["shape"])
    return tensors


def main(ffn0, concepts, tokens, out="."):
    out = pathlib.Path(out)
    tensors = read_safetensors(ffn0)
    # The contract's name for what the extraction calls a sentence.
    tensors["document"] = tensors.pop("sentence")
    with zipfile.ZipFile(out / "ffn0.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in ("activations", "token_id", "position", "document"):
            member = io.BytesIO()
            np.lib.format.write_array(member, tensors[name], version=(1, 0))
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    shutil.copyfile(concepts, out / "concepts.safetensors")
    shutil.copyfile(tokens, out / "tokens.json")

    back = np.load(out / "ffn0.npz")
    for name, array in tensors.items():
        if back[name].dtype != array.dtype or not np.array_equal(back[name].view("u1"), array.view("u1")):
            sys.exit(f"{name} did not come back as it went in")
    nonzero = np.count_nonzero(tensors["activations"]) / tensors["activations"].size
    print(f"{nonzero:.1%} of the activations are not zero")
    print(f"ffn0.npz: {(out / 'ffn0.npz').stat().st_size} bytes, exact")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
