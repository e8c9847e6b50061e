import json, pathlib, subprocess
import numpy as np

polyseme = pathlib.Path(__file__).resolve().parent.parent / "polyseme"
rng = np.random.default_rng(0)
features = rng.uniform(0.2, 1, (5000, 24)) * (rng.uniform(size=(5000, 24)) < 0.05)  # 24 sparse features …
np.save("activations.npy", (features @ rng.standard_normal((24, 8))).astype("float32"))  # … in 8 neurons
answer = subprocess.run([polyseme, "diagnose", "activations.npy", "--json", "-", "--quiet"], stdout=subprocess.PIPE, check=True)
layer = json.loads(answer.stdout)["layer"]
print(layer["verdict"], layer["set"], f"d {layer['d']}, r {layer['r']}, n_line {layer['n_line']}, n_ray {layer['n_ray']}")
