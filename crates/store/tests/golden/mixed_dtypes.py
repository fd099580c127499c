"""Makes mixed_dtypes.safetensors, expected.json: run `python mixed_dtypes.py` beside this file.

Written with PyTorch 2.15 and safetensors' own Python writer; the expected bits are those of PyTorch's `.float()`.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

here = Path(__file__).parent
torch.manual_seed(0)

edge = [0.0, -0.0, 1.0, -1.5, 65504.0, -65504.0, 6e-8, 3e-5, 6.1e-5, float("inf"), float("-inf"), 1 / 3]
tensors = {
    "half": torch.tensor(edge, dtype=torch.float16),
    "brain": torch.tensor(edge + [3e38, 1e-40], dtype=torch.bfloat16),
    "double": torch.cat([torch.tensor([1 / 3, 1e300, -1e-300], dtype=torch.float64), torch.randn(5, dtype=torch.float64)]),
    "single": torch.randn(3, 4),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 7),
}
save_file(tensors, here / "mixed_dtypes.safetensors", metadata={"format": "pt"})
save_file({"ids": torch.arange(3)}, here / "integers.safetensors")
expected = {
    name: {"shape": list(tensor.shape), "bits": tensor.float().flatten().view(torch.int32).tolist()}
    for name, tensor in tensors.items()
}
(here / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
