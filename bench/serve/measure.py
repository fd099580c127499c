"""How long the pages of `wd serve` take with a thousand runs.

    cargo build --release
    wd train studies/first.toml --run-dir runs/template
    cargo run --release -p wd-serve --example write_run_directories -- runs/template /tmp/many 1000 10000
    python3 bench/serve/measure.py target/release/wd /tmp/many [--visitors 20] [--seconds 10]
        [--writers 8 --config studies/first.toml]

The runs have ten series of ten thousand steps each, about half a gigabyte in all; the second pages
find them in memory. Printed are milliseconds: of the first page of a study after the server has
started (`cold`), of the next ones (median and largest of ten), of a filter that nobody asked for
before, of a zoom, of a place of a slider; then the same while visitors poll, and while so many
runs of the configuration are trained into the folder; and the memory.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import threading
import time
import urllib.parse
import urllib.request

TOKEN = "a-token-of-the-measurement"


class Server:
    def __init__(self, program, folder):
        environment = {**os.environ, "WD_TOKEN": TOKEN}
        self.process = subprocess.Popen(
            [program, "serve", folder, "--port", "0"], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.place = self.process.stdout.readline().split("/?")[0]

    def get(self, path):
        request = urllib.request.Request(
            self.place + path, headers={"Authorization": "Bearer " + TOKEN, "Accept-Encoding": "gzip"})
        begun = time.perf_counter()
        with urllib.request.urlopen(request) as answer:
            size = len(answer.read())
        return 1000 * (time.perf_counter() - begun), size

    def text(self, path):
        request = urllib.request.Request(
            self.place + path, headers={"Authorization": "Bearer " + TOKEN})
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()

    def memory(self):
        """Mebibytes of its own; mapped files are the system's, which takes them back."""
        status = open(f"/proc/{self.process.pid}/status").read()
        kilobytes = {key: int(value) for key, value in re.findall(r"(\w+):\s+(\d+) kB", status)}
        return kilobytes["RssAnon"] // 1024, kilobytes["VmRSS"] // 1024

    def end(self):
        self.process.terminate()
        self.process.wait()


def several(get, paths):
    times = [get(path)[0] for path in paths]
    return {"median": round(statistics.median(times), 1), "largest": round(max(times), 1)}


def measured(server, study, run, first):
    lambdas = [0.1 * place for place in range(10)]
    zoomed = [f"{study}/run/{run}/series?name=train_loss&from={place}&to={place + 1500}&points=1000"
              for place in range(0, 8000, 800)]
    sliders = [f"/explore/live?library=torch.AdamW&weight_decay={0.01 * (place + first):.3f}&lr=6e-4"
               "&schedule=cosine&warmup=400&floor=0.1&steps=50000&batch=0.5Mtok&params=124M"
               for place in range(10)]
    linear = [f"/linear/live?lambda={place + first}" for place in range(10)]
    filters = [f"{study}/live?" + urllib.parse.urlencode({"where:run.seed": seed + first})
               for seed in range(10)]
    return {
        "a study again": several(server.get, [study] * 10),
        "a filter": several(server.get, filters),
        "another filter, by λ": several(server.get, [
            f"{study}/live?" + urllib.parse.urlencode({"where:decay.lambda": f"{value:.1f}"})
            for value in lambdas[1:]]),
        "a zoom": several(server.get, zoomed),
        "a place of a slider": several(server.get, sliders),
        "λ of a linear model": several(server.get, linear),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--writers", type=int, default=0)
    parser.add_argument("--config", help="what the writers train")
    arguments = parser.parse_args()
    written = [os.path.join(arguments.folder, f"writer-{number}") for number in range(arguments.writers)]
    writers = []
    server = Server(arguments.program, arguments.folder)
    try:
        server_started = server.get("/explore")[0]
        listed = re.search(r'href="(/s/[^"]+)"', server.text("/"))
        study = listed.group(1)
        cold, size = server.get(study)
        run = re.search(r'href="/s/[^/]+/run/([^"]+)"', server.text(study + "/runs")).group(1)
        print(json.dumps({"cold": round(cold), "kilobytes sent": size // 1024,
                          "the first slider": round(server_started)}))
        print(json.dumps(measured(server, study, run, 0), indent=1, ensure_ascii=False))
        stop = time.monotonic() + arguments.seconds
        polls = []

        def visit():
            while time.monotonic() < stop:
                polls.append(server.get(study + "/live?have=")[0])
                time.sleep(1)

        for number, folder in enumerate(written):
            shutil.rmtree(folder, ignore_errors=True)
            writers.append(subprocess.Popen(
                [arguments.program, "train", arguments.config, "--set", f"run.seed={number}",
                 "--set", "run.steps=1000000", "--set", "data.epochs=1000", "--threads", "1",
                 "--run-dir", folder],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        if writers:
            # Until all of them are under way.
            time.sleep(10)
            stop = time.monotonic() + arguments.seconds
        visitors = [threading.Thread(target=visit) for _ in range(arguments.visitors)]
        for visitor in visitors:
            visitor.start()
        beside = measured(server, study, run, 20)
        ended = sum(writer.poll() is not None for writer in writers)
        if ended:
            raise SystemExit(f"{ended} of {len(writers)} runs ended meanwhile: nothing was measured beside them")
        for visitor in visitors:
            visitor.join()
        and_writers = f" and {len(writers)} runs that write" if writers else ""
        print(f"with {arguments.visitors} visitors{and_writers}, who waited {statistics.median(polls):.0f} ms, "
              f"at most {max(polls):.0f} ms:")
        print(json.dumps(beside, indent=1, ensure_ascii=False))
        own, mapped = server.memory()
        print(f"memory: {own} MiB of its own, {mapped} MiB with mapped files")
    finally:
        server.end()
        for writer in writers:
            writer.kill()
            writer.wait()
        for folder in written:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
