"""A model's way from `wd export` to transformers and back: the loss must stay the same.

    wd export runs/a --out exported/model.safetensors
    bench/peers/venv/bin/python bench/peers/roundtrip.py --model exported --corpus corpus --windows 16 --save returned
    wd train CONFIG.toml --set model.init_from=returned/model.safetensors --set run.steps=1 --run-dir runs/b
    bench/peers/venv/bin/python bench/peers/roundtrip.py --model returned --run runs/b

Loads the folder in transformers and prints the mean loss of the first windows of the corpus (in file order). It is
compared with `--loss`, or with the first loss of a `--run` that starts from the same weights in sequential order.
`--save` writes the model again, as transformers does, and checks that what comes back has the same loss and bits.
"""

import argparse
from pathlib import Path

import torch

import exported_gpt2
from finished_run import FinishedRun
from prepared_corpus import PreparedCorpus

REPOSITORY = Path(__file__).resolve().parents[2]


@torch.no_grad()
def loss_of_windows(model, corpus, windows, context, batch=16):
    """Mean loss of windows 0 … windows−1."""
    total = 0.0
    for first in range(0, windows, batch):
        count = min(batch, windows - first)
        total += count * exported_gpt2.mean_loss(model.eval(), *corpus.windows(first, count, context)).item()
    return total / windows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with model.safetensors and config.json")
    parser.add_argument("--corpus", type=Path, help="the prepared corpus; default data.path of the run's config.toml")
    parser.add_argument("--windows", type=int, help="how many; default the sequences of the run's first step")
    parser.add_argument("--context", type=int, help="tokens a window; default the run's, else the model's")
    parser.add_argument("--loss", type=float, help="what weight-decay states for the same weights and windows")
    parser.add_argument("--run", type=Path, help="a run whose first loss is that of the same weights and windows")
    parser.add_argument("--save", type=Path, help="folder to save the model to again")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="relative, on the loss")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--wd", default=REPOSITORY / "target" / "release" / "wd", help="the command, to read metrics")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    model = exported_gpt2.load(arguments.model)
    path, windows, context, stated = arguments.corpus, arguments.windows, arguments.context, arguments.loss
    if arguments.run:
        run = FinishedRun(arguments.run, arguments.wd)
        run.require_sequential()
        context = run.config["model"].get("context", model.config.n_positions)
        path = path or run.config["data"]["path"]
        windows = run.plan["samples_per_step"] // context
        stated = run.train_losses()[0]
    if path is None or windows is None:
        parser.error("without --run, --corpus and --windows say what to compute the loss on")
    corpus = PreparedCorpus(path)
    context = context or model.config.n_positions
    loss = loss_of_windows(model, corpus, windows, context)
    print(f"transformers: {loss:.8f} over {windows} windows of {context} tokens")
    if stated is not None:
        relative = abs(loss / stated - 1)
        print(f"weight-decay: {stated:.8f}, relative difference {relative:.1e}")
        if not relative <= arguments.tolerance:
            raise SystemExit(f"larger than {arguments.tolerance}")
    if arguments.save:
        model.save_pretrained(arguments.save)
        returned = exported_gpt2.load(arguments.save)
        again = loss_of_windows(returned, corpus, windows, context)
        before, after = model.state_dict(), returned.state_dict()
        if again != loss or any(not torch.equal(before[name], after[name]) for name in before):
            raise SystemExit(f"saved and loaded again the loss is {again:.8f}: not the same weights")
        print(f"saved to {arguments.save}; the same bits come back")


if __name__ == "__main__":
    main()
