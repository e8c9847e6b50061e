#!/usr/bin/env python3
"""Makes the golden files beside it with numpy: make.py [OUT_DIR]. values[i, j] = (i - 1) * 0.75 + j * 0.125, exact in half precision."""

import pathlib
import sys

import numpy as np

out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
values = (np.arange(5)[:, None] - 1) * 0.75 + np.arange(3)[None, :] * 0.125
for descr in ("<f2", "<f4", "<f8", ">f2", ">f4", ">f8"):
    array = values.astype(descr)
    name = descr.replace("<", "little-").replace(">", "big-")
    np.save(out / f"{name}.npy", array)
    np.save(out / f"{name}-fortran.npy", np.asfortranarray(array))
for version in ((2, 0), (3, 0)):
    with open(out / f"version{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, values.astype("<f4"), version=version)
rows = {"item": np.array([0, 0, 1, 1, 2]), "sentence": np.array([7, 7, 7, 8, 8], ">i2"), "position": np.arange(5, dtype="u1")}
np.savez(out / "stored.npz", activations=values.astype("<f4"), **rows)
np.savez_compressed(out / "deflated.npz", activations=values.astype(">f8"), **rows)
np.savez_compressed(out / "deflated-fortran.npz", layer=np.asfortranarray(values.astype("<f4")))
np.save(out / "objects.npy", np.array([[{}, 1], [2, 3]], object), allow_pickle=True)
np.save(out / "structured.npy", np.zeros(3, [("a", "<f4"), ("b", "<i4")]))
np.savez(
    out / "concepts.npz",
    flag=np.array([True, False, True, False, True]),
    two=np.array([3, 9, 3, 9, 9], "<i8"),
    three=np.array([-1, 0, 4, 4, -1], "|i1"),
    real=np.array([0.5, np.nan, -2, 0, 1], "<f4"),
    item=np.array([1, 1, 2, 2, 3], "<u8"),
)
