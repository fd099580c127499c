"""Times norms of every tensor of a checkpoint by `wd audit --json` and by PyTorch, safetensors and WeightWatcher, on the same files.

    cargo build --release -p wd
    bench/peers/venv/bin/python bench/peers/audit_speed.py [--megabytes 512] [--dtype float32] [--repeats 5] [--json]
    bench/peers/venv/bin/python -m pip install weightwatcher==0.7.5.5   # where it installs; else its line is left out

A model of square matrices of width 4096, an embedding and gains is drawn, and saved once as `model.pt` (torch's zip) and once as
`model.safetensors`. Each way reads its file in a fresh process, all ways in turn, `--repeats` times, from the page cache; the norms of
the first round are compared before any time is shown. `seconds` is the time of the whole process, start and imports included, as a
person waits for it; `work_seconds` leaves the imports out (for `wd` it is the same number). Memory is each process's peak, mapped pages included.

| way | reads | computes |
|---|---|---|
| wd | either file, mapped | all norms, and the whole audit |
| torch | model.pt, `torch.load(weights_only=True)` | the norm of each tensor |
| torch-mmap | model.pt, `torch.load(mmap=True, weights_only=True)` | the same |
| safetensors | model.safetensors, `safe_open` | the same |
| weightwatcher | model.pt on a model of linear layers | its spectra: one singular value decomposition a matrix |
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WD = ROOT / "target" / "release" / "wd"
WIDTH = 4096
WAYS = ["wd", "wd-safetensors", "torch", "torch-mmap", "safetensors", "weightwatcher"]


def draw(folder, megabytes, dtype):
    """Writes both files."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(1)
    kind = getattr(torch, dtype)
    matrix = WIDTH * WIDTH * torch.empty((), dtype=kind).element_size()
    layers = max(1, megabytes * 2**20 // matrix - 1)
    state = {"embed.weight": torch.randn(WIDTH, WIDTH).mul_(0.02).to(kind)}
    for layer in range(layers):
        state[f"layers.{layer}.weight"] = torch.randn(WIDTH, WIDTH).mul_(0.02).to(kind)
        state[f"layers.{layer}.norm.weight"] = torch.ones(WIDTH, dtype=kind)
    torch.save(state, folder / "model.pt")
    save_file(state, folder / "model.safetensors")


def peer(way, folder, threads):
    """One way in this process; prints a line of JSON."""
    import torch

    torch.set_num_threads(threads)
    start = time.perf_counter()
    if way == "safetensors":
        from safetensors import safe_open

        norms = {}
        with safe_open(folder / "model.safetensors", framework="pt") as file:
            for name in file.keys():
                norms[name] = torch.linalg.vector_norm(file.get_tensor(name), dtype=torch.float32).item()
    elif way == "weightwatcher":
        import weightwatcher

        state = torch.load(folder / "model.pt", weights_only=True)
        model = torch.nn.Sequential()
        for name, tensor in state.items():
            if tensor.ndim == 2:
                layer = torch.nn.Linear(*tensor.shape[::-1], bias=False)
                layer.weight.data = tensor.float()
                model.add_module(name.replace(".", "_"), layer)
        weightwatcher.WeightWatcher(model=model).analyze()
        norms = None
    else:
        state = torch.load(folder / "model.pt", weights_only=True, mmap=way == "torch-mmap")
        norms = {name: torch.linalg.vector_norm(tensor, dtype=torch.float32).item() for name, tensor in state.items()}
    seconds = time.perf_counter() - start
    print(json.dumps({"work_seconds": seconds, "norms": norms}))


def run(way, folder, threads):
    """A child's answer, with its time from start to end and its peak memory."""
    if way.startswith("wd"):
        file = "model.safetensors" if way == "wd-safetensors" else "model.pt"
        command = [WD, "audit", folder / file, "--json"]
    else:
        command = [sys.executable, __file__, "--one", way, folder]
    command = [str(word) for word in command]
    if not way.startswith("wd"):
        command += ["--threads", str(threads)]
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    # `wd audit` ends with 1 where it found something.
    if os.waitstatus_to_exitcode(status) not in ((0, 1) if way.startswith("wd") else (0,)):
        raise SystemExit(f"{' '.join(command)} failed")
    answer = json.loads(output)
    megabytes = usage.ru_maxrss / 1024
    if way.startswith("wd"):
        return {"seconds": seconds, "work_seconds": seconds, "megabytes": megabytes, "norms": norms_of(answer)}
    return {"seconds": seconds, "megabytes": megabytes, **answer}


def norms_of(answer):
    """The norm of each tensor, from its root mean square and its shape."""
    tensors = [tensor for file in answer["files"] for tensor in file["parameters"]]
    return {tensor["name"]: tensor["rms"] * math.prod(tensor["shape"]) ** 0.5 for tensor in tensors}


def compare(way, norms, expected):
    missing = expected.keys() - norms.keys()
    if missing:
        raise SystemExit(f"{way}: no norm of {sorted(missing)[:3]} and {max(0, len(missing) - 3)} more")
    for name, norm in expected.items():
        # torch adds all squares of a tensor in single precision: of 4096 × 4096 numbers it loses 8e-4,
        # where wd, which adds blocks in double precision, loses 1e-7.
        if abs(norms[name] / norm - 1) > 2e-3:
            raise SystemExit(f"{way}: the norm of {name} is {norms[name]}, and {norm} by torch")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=512, help="size of each file")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--repeats", type=int, default=5, help="rounds of all ways")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--ways", help=f"comma-separated: {','.join(WAYS)}")
    parser.add_argument("--folder", type=pathlib.Path, help="where the files are written; the system's temporary folder unless given")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each way")
    parser.add_argument("--draw", help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        way, folder = arguments.one
        return peer(way, pathlib.Path(folder), arguments.threads)
    if arguments.draw:
        return draw(pathlib.Path(arguments.draw), arguments.megabytes, arguments.dtype)
    if not WD.exists():
        raise SystemExit(f"{WD} is missing: cargo build --release -p wd")
    ways = arguments.ways.split(",") if arguments.ways else WAYS
    if subprocess.run([sys.executable, "-c", "import weightwatcher"], capture_output=True).returncode != 0:
        ways = [way for way in ways if way != "weightwatcher"]
        print("weightwatcher is not installed: its line is left out", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        folder = pathlib.Path(folder)
        # In a process of its own: a child's peak memory is never below its parent's.
        size_and_dtype = ["--megabytes", str(arguments.megabytes), "--dtype", arguments.dtype]
        subprocess.run([sys.executable, __file__, "--draw", folder, *size_and_dtype], check=True)
        size = (folder / "model.safetensors").stat().st_size
        rounds = {way: [] for way in ways}
        for repeat in range(arguments.repeats):
            for way in ways:
                # Spectra take minutes: once is enough.
                if way != "weightwatcher" or repeat == 0:
                    rounds[way].append(run(way, folder, arguments.threads))
            if repeat == 0 and "torch" in ways:
                for way in ways:
                    if rounds[way][0]["norms"] is not None:
                        compare(way, rounds[way][0]["norms"], rounds["torch"][0]["norms"])
        for way, results in rounds.items():
            middle = {key: statistics.median(result[key] for result in results) for key in ("seconds", "work_seconds", "megabytes")}
            summary = {"way": way, "bytes": size, "dtype": arguments.dtype, "threads": arguments.threads, **middle}
            summary["gigabytes_per_second"] = size / middle["work_seconds"] / 1e9
            if arguments.json:
                print(json.dumps(summary), flush=True)
            else:
                line = "{way:15} {seconds:8.3f} s, {work_seconds:8.3f} s without imports, {gigabytes_per_second:6.2f} GB/s, peak {megabytes:6.0f} MB"
                print(line.format(**summary), flush=True)


if __name__ == "__main__":
    main()
