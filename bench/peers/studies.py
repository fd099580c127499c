"""Five scripts that know nothing of wd, each a `wd study` of twelve runs, end to end: the same verdict?

    bench/peers/venv/bin/pip install -r bench/peers/studies/requirements.txt
    cargo build --release
    bench/peers/venv/bin/python bench/peers/studies.py [--only with_wandb] [--folder DIR]

Each script of bench/peers/studies trains on 400 digits, a fifth of whose labels are wrong, with λ = 0, 0.3 and 1 and
four seeds, and logs with its own library into the folder it is started in. Checked is, for each: twelve trials are
finished, each once; λ, η and the seed were found; the runs are paired; the best λ is 1, significantly; the verdict is
*prior*. The three scripts with the same loop must give the same differences, to f32 (TensorBoard keeps no more).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WD = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target")) / "release/wd"
SAME_LOOP = ("with_tensorboard", "with_wandb", "with_mlflow")
SCRIPTS = {
    **{name: ("train/full_loss", "val/loss") for name in (*SAME_LOOP, "with_lightning")},
    "with_hf_trainer": ("eval_training_loss", "eval_validation_loss"),
}

STUDY = """\
title = "{name}: digits, a fifth of whose labels are wrong"

[trial]
command = ["{python}", "{script}", "--weight-decay", "{{weight_decay}}", "--lr", "{{lr}}", "--seed", "{{seed}}"]

[axes]
weight_decay = "0,0.3,1"
lr = "3e-3"
seed = "0..3"

[roles]
lambda = "weight_decay"
rate = "lr"
seed = "seed"

[metrics]
train = "{train}"
validation = "{validation}"
train_is = "fixed-set"
last_step = 400
"""


def run(program, *arguments):
    ran = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{program} {' '.join(map(str, arguments))} ended with {ran.returncode}:\n{ran.stdout}\n{ran.stderr}")
    return ran.stdout


def study(wd, name, folder):
    """Runs the study of one script and gives what `wd report --json` says of it."""
    folder.mkdir(parents=True, exist_ok=True)
    train, validation = SCRIPTS[name]
    (folder / "study.toml").write_text(STUDY.format(
        name=name, python=sys.executable, script=HERE / "studies" / f"{name}.py", train=train, validation=validation))
    run(wd, "study", "run", folder)
    status = json.loads(run(wd, "study", "status", folder, "--json"))
    report = json.loads(run(wd, "report", folder, "--json"))
    return status, report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=SCRIPTS, default=list(SCRIPTS))
    parser.add_argument("--folder", help="keep the studies here; what is done is not done again")
    parser.add_argument("--wd", type=Path, default=WD, help="the command [default: the release build]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(options.folder or temporary)
        found = {name: study(options.wd, name, root / name) for name in options.only}
    failures = [problem for name, answer in found.items() for problem in check(name, *answer)]
    print(f"{'script':<18}{'trials':>7}  {'pairs':<12}{'λ = 1 against 0':<40}verdict")
    for name, (status, report) in found.items():
        change = difference(report)
        words = f"{change['mean']:+.5f} [{change['low']:+.5f}, {change['high']:+.5f}], n = {change['n']}"
        pairing = comparison(report)["pairing"]["by"]
        print(f"{name:<18}{len(status['trials']):>7}  {pairing:<12}{words:<40}{report['verdict']['acts_as']}")
    same = [difference(found[name][1])["mean"] for name in SAME_LOOP if name in found]
    if len(same) > 1 and max(same) - min(same) > 1e-6:
        failures.append(f"the scripts with the same loop differ: {same}")
    for failure in failures:
        print("NOT AS IT SHOULD BE:", failure)
    sys.exit(bool(failures))


def comparison(report):
    """That of λ = 1 with λ = 0."""
    arms = [arm["lambda"] for arm in report["arms"]]
    wanted = (arms.index(1.0), arms.index(0.0))
    return next(one for one in report["comparisons"] if (one["arm"], one["baseline"]) == wanted)


def difference(report):
    """What λ = 1 changes of the final validation loss."""
    return comparison(report)["final_validation"]["interval"]


def check(name, status, report):
    """What is not as it should be."""
    trials = status["trials"]
    if len(trials) != 12 or any(trial["state"] != "finished" for trial in trials):
        yield f"{name}: {[trial['state'] for trial in trials]}"
    recording = report["recording"]
    roles = [recording[role] for role in ("lambda", "learning_rate", "seed", "training", "validation")]
    if roles != ["weight_decay", "lr", "seed", *SCRIPTS[name]]:
        yield f"{name}: the names were taken for {roles}"
    if difference(report)["n"] != 4 or difference(report)["high"] >= 0:
        yield f"{name}: λ = 1 is not seen to help: {difference(report)}"
    if report["verdict"]["acts_as"] != "prior":
        yield f"{name}: the verdict is {report['verdict']['acts_as']}"


if __name__ == "__main__":
    main()
