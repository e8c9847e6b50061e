#!/usr/bin/env python3
"""Makes the .pt files in torch/ beside it with torch itself: make_torch.py [OUT_DIR]. The weights are those of SparseAutoencoderTests."""

import collections
import json
import pathlib
import sys

import torch

out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "torch")
out.mkdir(exist_ok=True)
encoder = torch.tensor([[1, 0.5], [0, 1], [-1, 0.25]])  # [n_latents, d_in]
b_enc = torch.tensor([0.5, -1, 0.25])
decoder = torch.tensor([[2.0, 0], [0, 1], [3, 4]])  # [n_latents, d_in]
b_dec = torch.tensor([0.5, -0.5])


def save(name, value, dict_class=None, **trainer):
    folder = out / name
    folder.mkdir(exist_ok=True)
    torch.save(value, folder / "ae.pt")
    if dict_class:
        trainer = {"dict_class": dict_class, "activation_dim": 2, "dict_size": 3, "lr": 1e-05, "layer": 3, "lm_name": "tiny", **trainer}
        config = {"trainer": {**trainer, "submodule_name": "resid_post_layer_3"}, "buffer": {"d_submodule": 2, "ctx_len": 128}}
        (folder / "config.json").write_text(json.dumps(config, indent=4))


class Module(torch.nn.Module):
    """As the real ones: linear layers, whose state dict is an OrderedDict with attributes."""

    def __init__(self, **parameters):
        super().__init__()
        self.encoder, self.decoder = torch.nn.Linear(2, 3), torch.nn.Linear(3, 2, bias=False)
        self.encoder.weight.data, self.encoder.bias.data, self.decoder.weight.data = encoder, b_enc, decoder.t()
        for name, value in parameters.items():
            self.register_buffer(name, value)


topk = {
    "k": torch.tensor(1, dtype=torch.int),
    "threshold": torch.tensor(0.75),
    "encoder.weight": encoder,
    "encoder.bias": b_enc,
    "decoder.weight": decoder.t(),  # a transposed view of a storage that lies the other way
    "b_dec": b_dec,
}
save("topk", topk, "AutoEncoderTopK", k=1)
save("batchtopk", topk, "BatchTopKSAE", k=1)
save("standard", Module(bias=b_dec).state_dict(), "AutoEncoder")
save(
    "new",
    {"encoder.weight": encoder, "encoder.bias": b_enc, "decoder.weight": decoder.t().contiguous(), "decoder.bias": b_dec},
    "AutoEncoderNew",
)
save(
    "gated",
    {
        "decoder_bias": b_dec,
        "r_mag": torch.tensor([0, 0.5, 0]),
        "gate_bias": b_enc,
        "mag_bias": torch.tensor([0.25, -0.5, 1]),
        "encoder.weight": encoder,
        "decoder.weight": decoder.t().contiguous(),
    },
    "GatedAutoEncoder",
)
matrices = {"W_enc": encoder.t().contiguous(), "b_enc": b_enc, "W_dec": decoder, "b_dec": b_dec}
save(
    "matryoshka",
    {"k": torch.tensor(1, dtype=torch.int), "threshold": torch.tensor(0.5), "group_sizes": torch.tensor([1, 2]), **matrices},
    "MatryoshkaBatchTopKSAE",
)
save("jumprelu", {**matrices, "threshold": torch.tensor([1, 0.5, 0.25])}, "JumpReluAutoEncoder")

# A backup in the middle of training: biases not scaled yet, the optimiser's state beside.
module = Module(bias=b_dec)
optimizer = torch.optim.Adam(module.parameters())
module.encoder(torch.ones(1, 2)).sum().backward()
state = optimizer.state_dict()
backup = {"step": 7, "ae": module.state_dict(), "optimizer": state, "config": {"lr": 1e-3, "steps": 2**40}, "norm_factor": 2.0}
save("backup", backup, "AutoEncoder")

openai = Module(pre_bias=b_dec, latent_bias=b_enc, stats_last_nonzero=torch.zeros(3, dtype=torch.long))
for name, activation in (("topk", "TopK"), ("relu", "ReLU")):
    sd = openai.state_dict()
    del sd["encoder.bias"]
    sd["activation"] = activation
    if activation == "TopK":
        sd["activation_state_dict"] = collections.OrderedDict(k=2, postact_fn="ReLU")
    torch.save(sd, out / f"openai-{name}.pt")

base = torch.arange(12.0)
torch.save(
    {
        "whole": base.view(3, 4),
        "transposed": base.view(3, 4).t(),
        "strided": base[1::3],
        "column": base.view(3, 4)[:, 2],
        "half": torch.tensor([1.5, -2]).half(),
        "bfloat16": torch.tensor([1.5, -2]).bfloat16(),
        "double": torch.tensor([0.1, -2], dtype=torch.float64),
        "long": torch.tensor([[1], [-(2**40)]]),
        "short": torch.tensor([-3], dtype=torch.int16),
        "bytes": torch.tensor([7, 200], dtype=torch.uint8),
        "bools": torch.tensor([True, False]),
        "empty": torch.zeros(0, 3),
        "number": 3,
        "text": "é",
        "nested": {"list": [1, 2.5, None, True, (1, 2)]},
    },
    out / "views.pt",
)
torch.save({"whole": base}, out / "old.pt", _use_new_zipfile_serialization=False)
