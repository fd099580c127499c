"""nanoGPT's model in PyTorch under two λ and a few seeds, watched: what did λ do?

    wd data prepare corpora/state-of-the-union.jsonl.zst --tokenizer bpe:1024 --out runs/sotu
    python python/examples/nanogpt.py runs/sotu --out runs/nanogpt
    python python/examples/nanogpt.py runs/sotu --out runs/nanogpt --compare   # and `wd sweep`'s

With `--compare` the engine of `wd` trains the same model under the same λ, rates and seeds: its
weights and batches are others, so that the two agree within their intervals and not digit by digit.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

import weight_decay as wd

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "bench" / "peers"))

from gpt import Gpt, GptConfig  # type: ignore[import-not-found] # noqa: E402
from prepared_corpus import PreparedCorpus  # type: ignore[import-not-found] # noqa: E402

CONTEXT, SEQUENCES, RATE, FLOOR = 64, 32, 8e-3, 0.1
EVALUATED = 256


def train(corpus: Any, folder: Path, decay: float, seed: int, steps: int, warmup: int) -> None:
    """Train one run, as studies/first.toml has it."""
    torch.manual_seed(seed)
    shape = GptConfig(corpus.sidecar["vocabulary"], CONTEXT, 2, 64, 4, init_std=0.08)
    model = Gpt(shape)
    groups = wd.param_groups(model, decay, policy="nanogpt")
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95))
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup),
            torch.optim.lr_scheduler.CosineAnnealingLR(
                optimizer, steps - warmup, eta_min=FLOOR * RATE
            ),
        ],
        [warmup],
    )
    windows = len(corpus.tokens) // CONTEXT - 1
    held_out = windows - windows // 10
    with wd.Monitor(
        model,
        optimizer,
        folder,
        steps=steps,
        every=20,
        scheduler=scheduler,
        seed=seed,
        unit="tokens",
        samples_per_step=SEQUENCES * CONTEXT,
        data=corpus.sidecar["hash"],
    ) as monitor:
        seen = []
        for _ in range(steps):
            chosen = torch.randint(held_out, (SEQUENCES,)).tolist()
            seen += chosen
            pairs = [corpus.windows(window, 1, CONTEXT) for window in chosen]
            inputs, targets = (torch.cat(part) for part in zip(*pairs, strict=True))
            loss = model(inputs, targets)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            monitor.step(loss)
        model.eval()
        with torch.no_grad():
            held = model(*corpus.windows(held_out, EVALUATED, CONTEXT))
            pairs = [corpus.windows(window, 1, CONTEXT) for window in seen[:EVALUATED]]
            trained = model(*(torch.cat(part) for part in zip(*pairs, strict=True)))
        monitor.evaluate(validation_loss=held.item(), train_eval_loss=trained.item())


def main() -> None:
    """Train every run, say what λ did, and set it beside the engine's answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lambdas", type=float, nargs="+", default=[0.0, 0.3])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--compare", action="store_true")
    options = parser.parse_args()
    corpus = PreparedCorpus(options.corpus)
    warmup = round(0.05 * options.steps)
    for decay in options.lambdas:
        for seed in range(options.seeds):
            folder = options.out / f"lambda={decay:g},seed={seed}"
            if not (folder / "plan.json").exists():
                train(corpus, folder, decay, seed, options.steps, warmup)
    found = wd.verdict(options.out)
    print(found)
    found.save(options.out / "report.html")
    if options.compare:
        compare(found, options)


def compare(found: wd.Verdict, options: argparse.Namespace) -> None:
    """Set the paired differences beside those of the engine's own runs."""
    out = options.out.with_name(options.out.name + "-engine")
    values = ",".join(f"{one:g}" for one in options.lambdas)
    command = [sys.executable, "-m", "weight_decay", "sweep"]
    command += [str(REPOSITORY / "studies" / "first.toml"), f"decay.lambda={values}"]
    command += [f"run.seed=0..{options.seeds - 1}", f"run.steps={options.steps}"]
    command += [f"data.path={options.corpus.resolve()}", "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    engine = wd.verdict(out)
    print("\nλ against 0          PyTorch                    the engine")
    for ours, theirs in zip(found.comparisons, engine.comparisons, strict=True):
        for name in ("final_validation", "final_train", "gap"):
            cells = [f"{_difference(one, name)}" for one in (ours, theirs)]
            print(f"  {name:18} {cells[0]:26} {cells[1]}")


def _difference(comparison: dict[str, Any], name: str) -> str:
    found = comparison[name]["interval"]
    return f"{found['mean']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}]"


if __name__ == "__main__":
    main()
