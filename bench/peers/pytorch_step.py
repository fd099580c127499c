"""Times PyTorch's training step: forward, backward, clip to 1 and fused AdamW, in f32 on the CPU.

    bench/peers/venv/bin/python bench/peers/pytorch_step.py [--shape small] [--variant eager] [--threads 2]

Prints one JSON line per shape and variant, each measured in a process of its own so that its peak memory is its own:
`variant`, `shape`, `threads`, `milliseconds_per_step` and `tokens_per_second` or `images_per_second` (of the median step, as `wd bench`),
`mean_milliseconds_per_step`, `steps`, `peak_memory_bytes` (ru_maxrss of the process), `import_memory_bytes` (the part
of it that `import torch` alone takes) and `loss` (of the last step). A variant that does not run gives `error` instead.

Variants: `eager` as users run it; `compile` the model under torch.compile (it needs a C++ compiler); `tuned` is
`compile` with glibc told to keep freed memory, which saves page faults (34,000 a step of `small` in eager, 11,000
compiled). `channels-last` is eager on images in that layout.
"""

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time

# glibc returns large blocks to the kernel at once, and PyTorch's CPU allocator keeps none itself.
KEEP_FREED_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(64 << 20),
}
VARIANTS = ("eager", "compile", "tuned", "channels-last")
TEXT, IMAGES = ("small", "medium"), ("cnn", "resnet20", "vit")


def peak_memory_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def decay_groups(model, weight_decay):
    """nanoGPT's groups: tensors of two and more dimensions decay, embeddings included; vectors do not."""
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def text(shape):
    """A GPT, batches of tokens, and how many tokens a batch holds."""
    import torch

    from gpt import Gpt
    from shapes import SHAPES

    sequences, config = SHAPES[shape]
    size = (2, sequences, config.context)
    return Gpt(config), [tuple(torch.randint(config.vocabulary, size)) for _ in range(8)], sequences * config.context


def images(shape, variant):
    """A classifier, batches of noise, and how many images a batch holds."""
    import torch

    from vision import BATCH, MODELS

    layout = torch.channels_last if variant == "channels-last" else torch.contiguous_format
    model = MODELS[shape]().to(memory_format=layout)
    batch = lambda: (torch.randn(BATCH, 3, 32, 32).to(memory_format=layout), torch.randint(10, (BATCH,)))
    return model, [batch() for _ in range(2)], BATCH


def measure(shape, variant, threads, warmup, seconds):
    """Times one shape in this process."""
    import torch

    import_memory = peak_memory_bytes()
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    if shape in TEXT:
        model, batches, items = text(shape)
        loss_of = model
    else:
        model, batches, items = images(shape, variant)
        loss_of = lambda inputs, targets: torch.nn.functional.cross_entropy(model(inputs), targets)
    optimizer = torch.optim.AdamW(
        decay_groups(model, 0.1), lr=3e-4, betas=(0.9, 0.95), eps=1e-8, fused=True
    )
    parameters = list(model.parameters())
    if variant in ("compile", "tuned"):
        loss_of = torch.compile(loss_of)
    batches = itertools.cycle(batches)

    def step():
        inputs, targets = next(batches)
        loss = loss_of(inputs, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    for _ in range(warmup):
        step()
    durations = []
    start = previous = time.perf_counter()
    while previous - start < seconds or len(durations) < 3:
        loss = step()
        now = time.perf_counter()
        durations.append(now - previous)
        previous = now
    median = statistics.median(durations)
    return {
        "variant": variant,
        "shape": shape,
        "threads": threads,
        "tokens_per_second" if shape in TEXT else "images_per_second": items / median,
        "milliseconds_per_step": 1e3 * median,
        "mean_milliseconds_per_step": 1e3 * statistics.fmean(durations),
        "steps": len(durations),
        "peak_memory_bytes": peak_memory_bytes(),
        "import_memory_bytes": import_memory,
        "loss": loss.item(),
    }


def measure_here(shape, variant, arguments):
    try:
        line = measure(shape, variant, arguments.threads, arguments.warmup, arguments.seconds)
    except Exception as error:  # torch.compile fails in many ways; each is a result to report
        if variant in ("eager", "channels-last"):
            raise
        reason = f"{type(error).__name__}: {str(error).strip()}"
        line = {"variant": variant, "shape": shape, "threads": arguments.threads, "error": reason[:2000]}
    print(json.dumps(line), flush=True)


def measure_in_new_process(shape, variant, arguments):
    environment = dict(os.environ)
    if variant == "tuned":
        environment.update(KEEP_FREED_MEMORY)
    command = [
        sys.executable, __file__, "--in-this-process", "--shape", shape, "--variant", variant,
        "--threads", str(arguments.threads), "--warmup", str(arguments.warmup), "--seconds", str(arguments.seconds),
    ]
    return subprocess.run(command, env=environment).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", nargs="+", default=["small", "medium"], choices=TEXT + IMAGES)
    parser.add_argument("--variant", nargs="+", default=["eager", "compile", "tuned"], choices=VARIANTS)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--warmup", type=int, default=3, help="untimed steps")
    parser.add_argument("--seconds", type=float, default=8.0, help="timed steps go on for this long, at least three")
    parser.add_argument("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    worst = 0
    for shape, variant in itertools.product(arguments.shape, arguments.variant):
        if arguments.in_this_process:
            measure_here(shape, variant, arguments)
        else:
            worst = max(worst, abs(measure_in_new_process(shape, variant, arguments)))
    raise SystemExit(min(worst, 1))


if __name__ == "__main__":
    main()
