"""Cuts the recorded runs that the tests read out of a longer sweep.

    python cut.py RUNS

RUNS holds `digits-sweep` (24 runs of a small network on scikit-learn's digits, BSD-3 data, each
logged at once by TensorBoard, Lightning, W&B, MLflow, trackio and Optuna), `hf-trainer` and
`modded-nanogpt`. Kept are λ = 0, 0.3 and 1 with all four seeds, four runs of the Trainer without
their weights, and of modded-nanogpt (MIT) the first and last lines of each run. Rows and bytes are
copied as they are; of the SQLite files only the tables that hold runs.
"""

import json
import re
import shutil
import sqlite3
import sys
from pathlib import Path

KEPT = {f"wd{decay}-s{seed}" for decay in ("0", "0.3", "1") for seed in range(4)}
SOURCE = Path(sys.argv[1])
HERE = Path(__file__).parent


def copy(path, to):
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)
    to.chmod(0o644)


def sqlite_cut(path, to, tables, statements):
    to.parent.mkdir(parents=True, exist_ok=True)
    to.unlink(missing_ok=True)
    copy(path, to)
    connection = sqlite3.connect(to)
    connection.execute("pragma foreign_keys = off")
    for (name,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
        if name not in tables and not name.startswith("sqlite_"):
            connection.execute(f'drop table "{name}"')
    for (name,) in connection.execute("select name from sqlite_master where type = 'index' and sql is not null").fetchall():
        connection.execute(f'drop index "{name}"')
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.execute("pragma journal_mode = delete")
    connection.execute("vacuum")
    connection.close()


def digits():
    source, to = SOURCE / "digits-sweep", HERE / "digits-sweep"
    shutil.rmtree(to, ignore_errors=True)
    truth = json.loads((source / "truth.json").read_text())
    to.mkdir(parents=True)
    kept = [run for run in truth if run["name"] in KEPT]
    (to / "truth.json").write_text(json.dumps(kept, indent=1) + "\n")
    for path in sorted((source / "tensorboard").rglob("*tfevents*")):
        part = path.relative_to(source)
        if part.parts[1] in KEPT:
            copy(path, to / part)
    numbers = {number for number, run in enumerate(truth) if run["name"] in KEPT}
    for number in numbers:
        for name in ("metrics.csv", "hparams.yaml"):
            part = Path("lightning/digits") / f"version_{number}" / name
            copy(source / part, to / part)
    for path in sorted((source / "wandb-offline").rglob("*.wandb")):
        if int(re.search(r"a(\d{4})xq", path.name)[1]) in numbers:
            copy(path, to / path.relative_to(source))
    names = ", ".join(f"'{name}'" for name in sorted(KEPT))
    sqlite_cut(
        source / "mlflow/mlflow.db", to / "mlflow/mlflow.db",
        {"experiments", "runs", "params", "metrics", "tags", "latest_metrics", "alembic_version"},
        [f"delete from runs where name not in ({names})"]
        + [f"delete from {table} where run_uuid not in (select run_uuid from runs)"
           for table in ("params", "metrics", "tags", "latest_metrics")])
    sqlite_cut(
        source / "trackio/digits.db", to / "trackio/digits.db",
        {"metrics", "configs", "project_metadata"},
        [f"delete from {table} where run_name not in ({names})" for table in ("metrics", "configs")])
    trials = ", ".join(str(number) for number in sorted(numbers))
    children = ("trial_params", "trial_values", "trial_intermediate_values", "trial_user_attributes")
    sqlite_cut(
        source / "optuna/study.db", to / "optuna/study.db",
        {"studies", "study_directions", "trials", "version_info", *children},
        [f"delete from trials where number not in ({trials})"]
        + [f"delete from {table} where trial_id not in (select trial_id from trials)"
           for table in children])
    # In a journal trials are numbered by the order of their creation.
    renumbered = {old: new for new, old in enumerate(sorted(numbers))}
    lines, made = [], -1
    for line in (source / "optuna/journal.log").read_text().splitlines():
        entry = json.loads(line)
        if entry["op_code"] == 4:
            made += 1
            if made in renumbered:
                lines.append(line)
        elif "trial_id" in entry:
            if entry["trial_id"] in renumbered:
                old, new = entry["trial_id"], renumbered[entry["trial_id"]]
                lines.append(line.replace(f'"trial_id":{old},', f'"trial_id":{new},', 1))
        else:
            lines.append(line)
    (to / "optuna/journal.log").write_text("\n".join(lines) + "\n")


def hugging_face():
    source, to = SOURCE / "hf-trainer", HERE / "hf-trainer"
    shutil.rmtree(to, ignore_errors=True)
    for run in ("wd0-s0", "wd0-s1", "wd1-s0", "wd1-s1"):
        for name in ("trainer_state.json", "checkpoint-100/training_args.bin"):
            copy(source / run / name, to / run / name)


def modded_nanogpt():
    source, to = SOURCE / "modded-nanogpt", HERE / "modded-nanogpt"
    shutil.rmtree(to, ignore_errors=True)
    copy(source / "LICENSE", to / "LICENSE")
    for path in sorted(source.rglob("*.txt")):
        kept = []
        for line in path.read_text().splitlines():
            found = re.match(r"step:(\d+)/(\d+) val_loss", line)
            if found and (found[1] == "0" or int(found[1]) >= int(found[2]) - 130):
                kept.append(line)
        target = to / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(kept) + "\n")


digits()
hugging_face()
modded_nanogpt()
