"""The PyTorch twin of a `wd train` run: same weights, same batches, same schedule, compared loss by loss.

    # the run to follow: sequential order, nothing held out, AdamW; its initial weights are those of a run of 0 steps
    wd train CONFIG.toml --set run.steps=0 --run-dir runs/initial
    wd export runs/initial --out runs/initial-gpt2/model.safetensors
    wd train CONFIG.toml --set run.steps=200 --run-dir runs/followed \\
        --set model.init_from=runs/initial-gpt2/model.safetensors
    bench/peers/venv/bin/python bench/peers/twin.py --model runs/initial-gpt2 --run runs/followed

transformers' GPT2LMHeadModel is trained by torch.optim.AdamW with nanoGPT's two groups, gradients clipped to the run's
norm and the learning rates of the run's metrics. Fails when any step's loss differs by more than the tolerance.
"""

import argparse
from pathlib import Path

import torch

import exported_gpt2
from finished_run import FinishedRun
from prepared_corpus import PreparedCorpus
from pytorch_step import decay_groups

REPOSITORY = Path(__file__).resolve().parents[2]


def require_twin(run, steps):
    """Refuses runs whose rule this twin does not follow, rather than report a difference that means nothing."""
    plan = run.plan
    run.require_sequential()
    if plan["optimizer"] != "adamw" or plan["rule"] != "decoupled" or plan["cautious"]:
        raise SystemExit(f"{run.folder}: the twin has AdamW with decoupled decay only")
    if plan["steps"] < steps:
        raise SystemExit(f"{run.folder}: has {plan['steps']} steps, not {steps}; see --steps")
    for tensor in plan["tensors"]:
        expected = plan["lambda"] if len(tensor["shape"]) >= 2 else 0.0
        if tensor["lambda"] != expected:
            raise SystemExit(f"{run.folder}: {tensor['path']} has λ {tensor['lambda']}, nanoGPT's groups {expected}")
    for step, (rate, shrink) in enumerate(zip(run.column("learning_rate")[:steps], run.column("shrink")[:steps])):
        if abs(shrink - rate * plan["lambda"]) > 1e-12:
            raise SystemExit(f"{run.folder}: λ is scheduled (step {step + 1}), the twin's is constant")


def train(model, run, corpus, context, steps):
    """The loss of each step's batch before that step."""
    plan = run.plan
    settings = run.config["optim"]
    if not any(tensor["path"].endswith(".bias") for tensor in plan["tensors"]):
        # A model without biases is exported with zero biases: they must stay zero.
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not name.endswith(".bias"))
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if sum(parameter.numel() for parameter in parameters) != plan["parameters"]:
        raise SystemExit("the exported model and the run have different numbers of parameters")
    optimizer = torch.optim.AdamW(
        decay_groups(model, plan["lambda"]),
        betas=(settings.get("beta1", 0.9), settings.get("beta2", 0.95)),
        eps=settings.get("epsilon", 1e-8),
    )
    clip = settings.get("clip", 1.0)
    sequences = plan["samples_per_step"] // context
    rates = run.column("learning_rate")
    model.train()
    for step in range(steps):
        inputs, targets = corpus.windows(step * sequences, sequences, context)
        loss = exported_gpt2.mean_loss(model, inputs, targets)
        yield loss.item()
        loss.backward()
        if clip > 0:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with model.safetensors and config.json")
    parser.add_argument("--run", type=Path, required=True, help="the run directory to follow")
    parser.add_argument("--corpus", type=Path, help="the prepared corpus; default data.path of the run's config.toml")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--wd", default=REPOSITORY / "target" / "release" / "wd", help="the command, to read metrics")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    run = FinishedRun(arguments.run, arguments.wd)
    require_twin(run, arguments.steps)
    corpus = PreparedCorpus(arguments.corpus or run.config["data"]["path"])
    model = exported_gpt2.load(arguments.model)
    context = run.config["model"].get("context", model.config.n_positions)
    ours = run.train_losses()[: arguments.steps]
    if len(ours) < arguments.steps:
        raise SystemExit(f"{run.folder}: only {len(ours)} steps are done")
    differences = []
    print("step  weight-decay   PyTorch        difference")
    for step, (our, their) in enumerate(zip(ours, train(model, run, corpus, context, arguments.steps)), start=1):
        differences.append(abs(our - their))
        if step == 1 or step % 20 == 0:
            print(f"{step:4}  {our:.8f}     {their:.8f}     {our - their:+.1e}", flush=True)
    largest = max(differences)
    at = differences.index(largest) + 1
    print(f"largest difference over {arguments.steps} steps: {largest:.2e} at step {at}")
    if not largest <= arguments.tolerance:  # also where a loss is not a number
        raise SystemExit(f"larger than {arguments.tolerance}")


if __name__ == "__main__":
    main()
