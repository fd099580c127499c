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
        if self.config["data"].get("order") != "sequential" or self.plan["validation_samples"] != 0:
            raise SystemExit(
                f'{self.folder}: the run needs data.order = "sequential" and data.validation_fraction = 0'
            )

    def train_losses(self):
        """The loss of each step's batch before that step."""
        return self.column("train_loss")

    def column(self, name):
        """A column of the metrics, step by step."""
        command = [self.wd, "metrics", self.folder, "--columns", f"step,{name}", "--csv"]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        rows = [(int(float(row["step"])), float(row[name])) for row in csv.DictReader(text.splitlines())]
        if [step for step, _ in rows] != list(range(1, len(rows) + 1)):
            raise SystemExit(f"{self.folder}: the steps of its metrics are not 1, 2, 3 …")
        return [value for _, value in rows]
