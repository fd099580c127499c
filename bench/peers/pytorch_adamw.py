"""Times PyTorch's AdamW(fused=True) alone on the tensors of a GPT of 50 M parameters, f32 on the CPU.

    bench/peers/venv/bin/python bench/peers/pytorch_adamw.py [--threads 2] [--clip 1]

Prints one JSON line: `milliseconds` (median step), `fastest_milliseconds`, `parameters`, `tensors`, `threads`.
Gradients are kept from step to step: no backward is in the time, and a clip to a global norm only with `--clip`, by the faster of
clip_grad_norm_'s two ways.
"""

import argparse
import json
import os
import statistics
import time

import torch

from gpt import Gpt
from pytorch_step import decay_groups
from shapes import ADAMW_LAYOUT


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--warmup", type=int, default=5, help="untimed steps")
    parser.add_argument("--steps", type=int, default=40, help="timed steps")
    parser.add_argument("--clip", type=float, help="clip gradients to this global norm in the time")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    model = Gpt(ADAMW_LAYOUT)
    parameters = list(model.parameters())
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter).mul_(1e-3)
    optimizer = torch.optim.AdamW(
        decay_groups(model, 0.1), lr=3e-4, betas=(0.9, 0.95), eps=1e-8, fused=True
    )

    def timed(foreach):
        durations = []
        for step in range(arguments.warmup + arguments.steps):
            start = time.perf_counter()
            if arguments.clip is not None:
                torch.nn.utils.clip_grad_norm_(parameters, arguments.clip, foreach=foreach)
            optimizer.step()
            if step >= arguments.warmup:
                durations.append(1e3 * (time.perf_counter() - start))
        return durations

    ways = [False] if arguments.clip is None else [False, True]
    durations = min((timed(foreach) for foreach in ways), key=statistics.median)
    print(json.dumps({
        "milliseconds": statistics.median(durations),
        "fastest_milliseconds": min(durations),
        "parameters": sum(parameter.numel() for parameter in parameters),
        "tensors": len(parameters),
        "threads": arguments.threads,
    }))


if __name__ == "__main__":
    main()
