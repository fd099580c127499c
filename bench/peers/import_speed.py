"""Event files of TensorBoard, read by wd and by TensorBoard's own loader, in the same run.

    bench/peers/venv/bin/pip install tensorboard numpy
    cargo build --release -p wd-import --examples
    bench/peers/venv/bin/python bench/peers/import_speed.py [--runs 1000] [--series 10] [--steps 10000]

The runs are made by `write_runs` in a temporary folder (`--folder` keeps them elsewhere: a thousand
runs of ten series and ten thousand steps are about 6 GB). Each reader reads all of them, in turn,
`--pairs` times; the files are read once before, so that both find them in memory. TensorBoard's
loader is the one that its Python API has (`EventAccumulator`), without thinning out; it has a
process for each core, as wd has a thread. Printed are the median times and their ratio. Close
everything else.
"""

import argparse
import json
import multiprocessing
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "target/release/examples"


def load(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()
    return sum(len(accumulator.Scalars(tag)) for tag in accumulator.Tags()["scalars"])


def tensorboard(folder, cores):
    begin = time.perf_counter()
    folders = sorted(path for path in Path(folder).iterdir() if path.is_dir())
    with multiprocessing.Pool(cores) as pool:
        points = sum(pool.imap_unordered(load, folders, chunksize=4))
    return time.perf_counter() - begin, points


def wd(folder, cores):
    output = subprocess.run(
        [EXAMPLES / "import_speed", folder], check=True, capture_output=True, text=True,
        env={"RAYON_NUM_THREADS": str(cores), "PATH": "/usr/bin:/bin"})
    found = json.loads(output.stdout)
    return found["seconds"], found["points"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--series", type=int, default=10)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--cores", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        sizes = [str(number) for number in (arguments.runs, arguments.series, arguments.steps)]
        subprocess.run([EXAMPLES / "write_runs", folder, *sizes], check=True)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*tfevents*"))
        for path in Path(folder).rglob("*tfevents*"):
            path.read_bytes()
        ours, theirs = [], []
        for _ in range(arguments.pairs):
            for times, reader in ((ours, wd), (theirs, tensorboard)):
                seconds, points = reader(folder, arguments.cores)
                assert points == arguments.runs * arguments.series * arguments.steps, points
                times.append(seconds)
        ours, theirs = statistics.median(ours), statistics.median(theirs)
        print(f"{arguments.runs} runs × {arguments.series} series × {arguments.steps} steps, "
              f"{size / 1e9:.2f} GB, {arguments.cores} cores")
        print(f"wd {ours:.2f} s, TensorBoard's loader {theirs:.2f} s: ratio {theirs / ours:.1f}")


if __name__ == "__main__":
    main()
