"""Reads a run directory of `wd train`: its configuration, its plan and its metrics."""

import csv
import json
import subprocess
import tomllib
from pathlib import Path


class FinishedRun:
    def __init__(self, folder, wd):
        self.folder = Path(folder)
        self.wd = wd
        self.config = tomllib.loads((self.folder / "config.toml").read_text())
        self.plan = json.loads((self.folder / "plan.json").read_text())

    def require_sequential(self):
        """Only then can another program cut the same batches."""
        if self.config["data"].get("order") != "sequential" or self.plan["validation_tokens"] != 0:
            raise SystemExit(
                f'{self.folder}: the run needs data.order = "sequential" and data.validation_fraction = 0'
            )

    def train_losses(self):
        """The loss of each step's batch before that step."""
        command = [self.wd, "metrics", self.folder, "--columns", "step,train_loss", "--csv"]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        rows = [(int(float(row["step"])), float(row["train_loss"])) for row in csv.DictReader(text.splitlines())]
        if [step for step, _ in rows] != list(range(1, len(rows) + 1)):
            raise SystemExit(f"{self.folder}: the steps of its metrics are not 1, 2, 3 …")
        return [loss for _, loss in rows]
