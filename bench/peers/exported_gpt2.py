"""Loads a folder written by `wd export` as transformers' GPT-2."""

import torch
from transformers import GPT2LMHeadModel
from transformers.utils import logging

# A corpus has its own special tokens; transformers would warn that GPT-2's lie outside of small vocabularies.
logging.set_verbosity_error()
logging.disable_progress_bar()


def load(folder):
    """The model in f32, without dropout; fails where transformers had to guess a tensor."""
    model, report = GPT2LMHeadModel.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True, output_loading_info=True,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report[problem]:
            raise SystemExit(f"{folder}: {problem}: {sorted(report[problem])}")
    return model


def mean_loss(model, inputs, targets):
    """Mean cross-entropy in nats per token; `labels=` would shift the targets a second time."""
    logits = model(input_ids=inputs, use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
