"""The same runs in `wd serve`, TensorBoard and MLflow: how long until their curves can be seen.

    pip install tensorboard mlflow
    python3 bench/serve/peers.py target/release/wd [--runs 40] [--steps 10000] [--repeats 3]

Every run has ten series. They are written once as TensorBoard's event files, which `wd serve` and
TensorBoard both read, and once into an MLflow database. Each program is then started anew for each
repeat, and asked over HTTP as its own page asks it: for the training loss of every run. Printed are
the medians in seconds: from the start of the program until it has answered with the last step of
every run (`cold`), and of the same question again (`warm`). The answer of `wd serve` is the whole
page of the study: arms, paired differences, verdict and their figures, drawn.
"""

import argparse
import json
import math
import os
import pathlib
import random
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

SERIES = ["train_loss", "validation_loss", *(f"layer{at}/weight_norm" for at in range(8))]
TOKEN = "a-token-of-the-measurement"


def value(run, series, step, steps, noise):
    decay = run % 4 / 10
    late = step / steps
    base = 2.0 + 2.0 * math.exp(-8 * late) + 0.05 * decay * (1 - 2 * late)
    return base + series / 100 + noise


def runs_of(count, steps):
    """Name, λ, seed, and the values of each series."""
    for run in range(count):
        chance = random.Random(run // 4)
        noises = [chance.gauss(0, 0.02) for _ in range(steps)]
        yield f"run{run:04}", run % 4 / 10, run // 4, [
            [value(run, at, step, steps, noises[step]) for step in range(steps)]
            for at in range(len(SERIES))
        ]


def write_events(folder, count, steps):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import summary_v2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for name, decay, seed, columns in runs_of(count, steps):
        writer = EventFileWriter(str(folder / name), max_queue_size=1000)
        hparams = summary_v2.hparams_pb({"weight_decay": decay, "lr": 1e-3, "seed": float(seed)})
        writer.add_event(Event(wall_time=0.0, step=0, summary=hparams))
        for step in range(steps):
            values = [Summary.Value(tag=tag, simple_value=column[step])
                      for tag, column in zip(SERIES, columns)]
            writer.add_event(Event(wall_time=float(step), step=step, summary=Summary(value=values)))
        writer.close()


def write_mlflow(path, count, steps):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{path}")
    experiment = client.create_experiment("many")
    connection = sqlite3.connect(path)
    identities = []
    for name, decay, seed, columns in runs_of(count, steps):
        run = client.create_run(experiment, run_name=name)
        identities.append(run.info.run_id)
        for key, number in (("weight_decay", decay), ("lr", 1e-3), ("seed", seed)):
            client.log_param(run.info.run_id, key, number)
        for tag, column in zip(SERIES, columns):
            rows = ((tag, number, step, run.info.run_id, step, False) for step, number in enumerate(column))
            connection.executemany(
                "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?,?,?,?,?,?)", rows)
            connection.execute(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?,?,?,?,?,?)",
                (tag, column[-1], steps - 1, steps - 1, False, run.info.run_id))
        connection.commit()
        client.set_terminated(run.info.run_id)
    connection.close()
    return experiment, identities


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class Program:
    """A server that is asked over HTTP."""

    def __init__(self, words, place, headers=None, environment=None):
        self.begun = time.perf_counter()
        self.place, self.headers = place, headers or {}
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True, env={**os.environ, **(environment or {})})

    def ask(self, path, data=None):
        request = urllib.request.Request(self.place + path, headers=self.headers, data=data)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.read()

    def measured(self, question):
        """Seconds from the start until the question is answered in full, and of asking again."""
        while True:
            try:
                if question():
                    break
                problem = "its answer is not the whole"
            except (OSError, ValueError, KeyError) as error:
                problem = error
            if time.perf_counter() - self.begun > 300:
                os.killpg(self.process.pid, 9)
                sys.exit(f"{self.process.args[0]} has not answered in full for 300 s: {problem}")
            if self.process.poll() is not None:
                sys.exit(f"{self.process.args[0]} ended with {self.process.returncode}")
            time.sleep(0.02)
        cold = time.perf_counter() - self.begun
        begun = time.perf_counter()
        if not question():
            sys.exit("the second answer is not the first")
        warm = time.perf_counter() - begun
        os.killpg(self.process.pid, 15)
        self.process.wait()
        return cold, warm


def of_wd(program, folder, count, steps):
    port = free_port()
    served = Program([program, "serve", str(folder), "--port", str(port)], f"http://127.0.0.1:{port}",
                     {"Authorization": f"Bearer {TOKEN}"}, {"WD_TOKEN": TOKEN})

    def question():
        address = re.search(r'href="(/s/[^"/?]+)"', served.ask("/").decode())
        page = served.ask(address.group(1)).decode()
        return "Training loss" in page and f"{count} runs" in served.ask(address.group(1) + "/runs").decode()

    return served.measured(question)


def of_tensorboard(folder, count, steps):
    port = free_port()
    served = Program([sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port)],
                     f"http://127.0.0.1:{port}", {"Content-Type": "application/x-www-form-urlencoded"})

    def question():
        tags = json.loads(served.ask("/data/plugin/scalars/tags"))
        if len(tags) != count or any(len(one) != len(SERIES) for one in tags.values()):
            return False
        requests = urllib.parse.urlencode({"requests": json.dumps([{"plugin": "scalars", "tag": SERIES[0]}])})
        answer = served.ask("/experiment/defaultExperimentId/data/plugin/timeseries/timeSeries", requests.encode())
        series = json.loads(answer)[0]["runToSeries"]
        return len(series) == count and all(points[-1]["step"] == steps - 1 for points in series.values())

    return served.measured(question)


def of_mlflow(path, experiment, identities, steps):
    port = free_port()
    served = Program([sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{path}",
                      "--port", str(port), "--workers", "1"], f"http://127.0.0.1:{port}",
                     {"Content-Type": "application/json"})

    def question():
        found = json.loads(served.ask("/ajax-api/2.0/mlflow/runs/search", json.dumps(
            {"experiment_ids": [experiment], "max_results": len(identities)}).encode()))
        if len(found["runs"]) != len(identities):
            return False
        last = {}
        # As its page does: a hundred runs a question, 320 points of each.
        for at in range(0, len(identities), 100):
            words = [("run_ids", one) for one in identities[at:at + 100]]
            words += [("metric_key", SERIES[0]), ("max_results", "320")]
            answer = json.loads(served.ask(
                "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?" + urllib.parse.urlencode(words)))
            for point in answer["metrics"]:
                last[point["run_id"]] = max(last.get(point["run_id"], 0), int(point["step"]))
        return len(last) == len(identities) and all(step == steps - 1 for step in last.values())

    return served.measured(question)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.program).resolve())
    count, steps = arguments.runs, arguments.steps
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "events").mkdir()
        write_events(folder / "events", count, steps)
        experiment, identities = write_mlflow(folder / "mlflow.db", count, steps)
        questions = {
            "wd serve": lambda: of_wd(program, folder / "events", count, steps),
            "TensorBoard": lambda: of_tensorboard(folder / "events", count, steps),
            "MLflow": lambda: of_mlflow(folder / "mlflow.db", experiment, identities, steps),
        }
        times = {name: [] for name in questions}
        for _ in range(arguments.repeats):
            for name, question in questions.items():
                times[name].append(question())
    print(f"{count} runs × {len(SERIES)} series × {steps:,} steps; seconds, median (least to most)")
    for name, measured in times.items():
        told = []
        for what, column in zip(("cold", "warm"), zip(*measured)):
            told.append(f"{what} {statistics.median(column):.3f} ({min(column):.3f} to {max(column):.3f})")
        print(f"{name:12} {'; '.join(told)}")


if __name__ == "__main__":
    main()
