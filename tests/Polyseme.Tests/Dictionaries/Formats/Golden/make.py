#!/usr/bin/env python3
"""Makes the safetensors, JSON and npz golden files in plain/ beside it from the descriptions of the formats alone: make.py [OUT_DIR].

Nothing but Python's own library. The weights are those of SparseAutoencoderTests: W_enc [d_in, n], W_dec [n, d_in].
"""

import io
import json
import math
import pathlib
import struct
import sys
import zipfile

out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "plain")
out.mkdir(exist_ok=True)

W_enc = [[1, 0, -1], [0.5, 1, 0.25]]
b_enc = [0.5, -1, 0.25]
W_dec = [[2, 0], [0, 1], [3, 4]]
b_dec = [0.5, -0.5]
threshold = [1, 0.5, 0.25]
FORMATS = {"F64": ("d", 8), "F32": ("f", 4), "F16": ("e", 2)}


def shape(values):
    return [] if not isinstance(values, list) else [len(values), *shape(values[0])]


def flat(values):
    return [number for value in values for number in flat(value)] if isinstance(values, list) else [values]


def data(values, dtype):
    if dtype == "BF16":
        return b"".join(struct.pack("<f", number)[2:] for number in flat(values))
    return b"".join(struct.pack("<" + FORMATS[dtype][0], number) for number in flat(values))


def safetensors(path, tensors, dtype="F32"):
    """Types by descending alignment, names ascending, header padded to a multiple of 8."""
    typed = {name: value if isinstance(value, tuple) else (dtype, value) for name, value in tensors.items()}
    order = sorted(typed, key=lambda name: (-{"F64": 8, "F32": 4}.get(typed[name][0], 2), name))
    header, body = {}, b""
    for name in order:
        kind, values = typed[name]
        part = data(values, kind)
        header[name] = {"dtype": kind, "shape": shape(values), "data_offsets": [len(body), len(body) + len(part)]}
        body += part
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def saelens(name, tensors, cfg, dtype="F32", weights="sae_weights.safetensors", version="6.18.0"):
    folder = out / name
    folder.mkdir(exist_ok=True)
    safetensors(folder / weights, tensors, dtype)
    metadata = {
        "sae_lens_version": version,
        "sae_lens_training_version": version,
        "model_name": "gpt2",
        "hook_name": "blocks.8.hook_resid_pre",
        "hook_head_index": None,
        "context_size": 128,
        "prepend_bos": True,
        "seqpos_slice": [None],
        "model_from_pretrained_kwargs": {},
        "note": "naïve \U0001f600 \u007f",
        "learning_rate": 1e-05,
    }
    base = {
        "d_in": 2,
        "d_sae": 3,
        "dtype": {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}[dtype],
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": metadata,
    }
    (folder / "cfg.json").write_text(json.dumps({**base, **cfg}))


four = {"W_enc": W_enc, "b_enc": b_enc, "W_dec": W_dec, "b_dec": b_dec}
saelens("standard", four, {"architecture": "standard"})
saelens("standard-f16", four, {"architecture": "standard"}, "F16")
saelens("standard-bf16", four, {"architecture": "standard"}, "BF16")
saelens("topk", four, {"k": 1, "rescale_acts_by_decoder_norm": False, "architecture": "topk"})
saelens("topk-rescale", four, {"k": 1, "rescale_acts_by_decoder_norm": True, "architecture": "topk"})
saelens("jumprelu", {**four, "threshold": threshold}, {"architecture": "jumprelu", "some_new_key": [1, 2.0, 1e-07]})
gate = {"b_gate": b_enc, "b_mag": [0.25, -0.5, 1], "r_mag": [0, 0.5, 0]}
saelens("gated", {"W_enc": W_enc, "W_dec": W_dec, "b_dec": b_dec, **gate}, {"architecture": "gated"})
transcoder = {"W_enc": W_enc, "b_enc": b_enc, "W_dec": [[1], [10], [100]], "b_dec": [0.5]}
no_bias = {"apply_b_dec_to_input": False, "d_out": 1}
saelens("transcoder", transcoder, {**no_bias, "architecture": "transcoder"})
saelens("jumprelu-transcoder", {**transcoder, "threshold": threshold}, {**no_bias, "architecture": "jumprelu_transcoder"})
skip = {**four, "W_skip": [[1, 2], [0, -1]]}
saelens("skip-transcoder", skip, {**no_bias, "d_out": 2, "architecture": "skip_transcoder"})
saelens("layer-norm", four, {"normalize_activations": "layer_norm", "architecture": "standard"})

# A training checkpoint of BatchTopK: the threshold applies to latents times their decoder norm.
training = {"decoder_init_norm": 0.1, "k": 1.5, "topk_threshold_lr": 0.01, "rescale_acts_by_decoder_norm": True}
saelens("batchtopk", {**four, "topk_threshold": ("F64", 1.5)}, {**training, "architecture": "batchtopk"})
safetensors(out / "batchtopk" / "sparsity.safetensors", {"sparsity": [-1, -2.5, math.log10(1e-10)]})

# Trained on 4·x: the weights still expect it.
scaled = {"W_enc": [[w / 4 for w in row] for row in W_enc], "b_enc": b_enc, "W_dec": [[4 * w for w in row] for row in W_dec]}
saelens(
    "scaled",
    {**scaled, "b_dec": [4 * b for b in b_dec]},
    {"normalize_activations": "expected_average_only_in", "architecture": "standard"},
)
(out / "scaled" / "activation_scaler.json").write_text(json.dumps({"scaling_factor": 4.0}))

# From before version 6: flat, older names, a factor on the latents.
saelens("old", {**four, "scaling_factor": [1, 1, 1]}, {})
old = {
    "d_in": 2,
    "d_sae": 3,
    "dtype": "float32",
    "model_name": "gpt2",
    "hook_point": "blocks.8.hook_resid_pre",
    "hook_point_head_index": None,
    "activation_fn_str": "topk",
    "activation_fn_kwargs": {"k": 2},
    "normalize_activations": False,
    "context_size": 128,
}
(out / "old" / "cfg.json").write_text(json.dumps(old))

# No encoder: the directions alone, of unit norm, and when to stop. Then one trained on 4·x, whose residual threshold is one of 4·x too.
directions = {"W_dec": [[1, 0], [0.6, 0.8], [-1, 0]], "b_dec": b_dec}
pursuit = {"residual_threshold": 0.01, "max_iterations": None, "stop_on_duplicate_support": True, "architecture": "matching_pursuit"}
saelens("matching-pursuit", directions, pursuit, version="6.49.2")
stopping = {"max_iterations": 4, "stop_on_duplicate_support": False, "residual_threshold": 0.0}
saelens("matching-pursuit-steps", directions, {**pursuit, **stopping}, version="6.49.2")
saelens(
    "matching-pursuit-scaled",
    {**directions, "b_dec": [4 * b for b in b_dec]},
    {**pursuit, "residual_threshold": 1.2, "max_iterations": 5, "normalize_activations": "expected_average_only_in"},
    version="6.49.2",
)
(out / "matching-pursuit-scaled" / "activation_scaler.json").write_text(json.dumps({"scaling_factor": 4.0}))

sparsify = {"activation": "topk", "expansion_factor": 32, "normalize_decoder": True, "num_latents": 3, "k": 1}
sparsify = {**sparsify, "multi_topk": False, "skip_connection": False, "transcode": False, "d_in": 2}
rows = {"encoder.weight": [list(row) for row in zip(*W_enc)], "encoder.bias": b_enc, "W_dec": W_dec, "b_dec": b_dec}
for name, change, more in (
    ("sparsify", {}, {}),
    ("sparsify-groupmax", {"activation": "groupmax", "k": 3}, {}),
    ("sparsify-skip", {"transcode": True, "skip_connection": True, "k": 3}, {"W_skip": [[1, 2], [0, -1]]}),
):
    (out / name).mkdir(exist_ok=True)
    (out / name / "cfg.json").write_text(json.dumps({**sparsify, **change}))
    safetensors(out / name / "sae.safetensors", {**rows, **more})


def npy(values):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape(values))}, }}"
    text = text + " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data(values, "F32")


for name, renamed in (("gemma-scope", {}), ("gemma-scope-small", {"W_enc": "w_enc", "W_dec": "w_dec"})):
    (out / name).mkdir(exist_ok=True)
    with zipfile.ZipFile(out / name / "params.npz", "w") as archive:
        for key, values in {**four, "threshold": threshold}.items():
            archive.writestr(zipfile.ZipInfo(f"{renamed.get(key, key)}.npy"), npy(values))
