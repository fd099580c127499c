"""Reads a folder made by `wd data prepare` and cuts the windows of `data.order = "sequential"`."""

import json
from pathlib import Path

import numpy as np
import torch


class PreparedCorpus:
    """All tokens, documents in file order, each ending with the end-of-document token."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.sidecar = json.loads((self.folder / "corpus.json").read_text())
        dtype = {2: "<u2", 4: "<u4"}[self.sidecar["token_width"]]
        shards = sorted(self.folder.glob("tokens-*.bin"))
        if not shards:
            raise SystemExit(f"{self.folder} holds no tokens-*.bin")
        self.tokens = np.concatenate([np.memmap(shard, dtype=dtype, mode="r") for shard in shards])
        stated = self.sidecar["tokens"]
        if len(self.tokens) != stated:
            raise SystemExit(f"{self.folder} holds {len(self.tokens)} tokens, corpus.json says {stated}")

    def windows(self, first, count, context):
        """Inputs and targets [count, context]: window i holds tokens iT … iT+T, targets shifted by one."""
        end = (first + count) * context + 1
        if end > len(self.tokens):
            raise SystemExit(f"windows {first} … {first + count - 1} need {end} tokens; there are {len(self.tokens)}")
        tokens = torch.from_numpy(self.tokens[first * context : end].astype(np.int64))
        return tokens[:-1].view(count, context), tokens[1:].view(count, context)
