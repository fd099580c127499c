"""Runs weight-decay and PyTorch in turn on this machine and prints the ratios.

    cargo build --release --workspace --bins --examples
    bench/peers/venv/bin/python bench/peers/compare.py [--pairs 5] [--shapes small medium] [--threads 1 2]

Machines are noisy and drift, so only neighbours are compared: a pair is one `wd bench` and one run of each PyTorch
variant right after or before it, every run in a fresh process, the order changing from pair to pair. Stated are the
median of the pairs' ratios and their lowest and highest. Ratios above 1 mean that weight-decay is faster or smaller.
Peak memory is what the kernel counted for the process (ru_maxrss), the same for both sides.

The benchmarks: `step` a whole training step, `adamw` the optimizer alone at 50 M parameters (also beside a loop that only
moves the same memory); with `--side-by-side` only whether two 1-thread trials at once give twice the tokens of one.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

# Classifiers of images; the other shapes are GPTs.
IMAGES = ("cnn", "resnet20", "vit")
HERE = Path(__file__).resolve().parent
RELEASE = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target")) / "release"


class Process:
    """A child that prints JSON lines, and its peak memory as the kernel counts it."""

    def __init__(self, command):
        self.command = [str(word) for word in command]
        # Files, not pipes: nobody reads while the child is being timed, and it can never wait for us.
        self.output = tempfile.TemporaryFile("w+")
        self.errors = tempfile.TemporaryFile("w+")
        try:
            self.child = subprocess.Popen(self.command, stdout=self.output, stderr=self.errors)
        except FileNotFoundError as error:
            raise SystemExit(f"{error.filename} is missing: build it first, see --help") from error

    def wait(self):
        """The last JSON line, with `resident_peak_bytes` added."""
        _, status, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        self.output.seek(0)
        self.errors.seek(0)
        lines = [line for line in self.output.read().splitlines() if line.startswith("{")]
        if self.child.returncode != 0 or not lines:
            raise SystemExit(
                f"{' '.join(self.command)}\nended with {self.child.returncode}:\n{self.errors.read()[-3000:]}"
            )
        return {**json.loads(lines[-1]), "resident_peak_bytes": usage.ru_maxrss * 1024}


def in_turn(commands, pair):
    """Runs {name: command} one after the other, first to last and in the next pair last to first."""
    order = list(commands) if pair % 2 == 0 else list(commands)[::-1]
    return {name: Process(commands[name]).wait() for name in order}


def spread(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "values": values}


def show(ratio):
    return f"{ratio['median']:.2f} ({ratio['low']:.2f}–{ratio['high']:.2f})"


def compare_step(arguments, shape, threads, say):
    """`wd bench` against each variant of `pytorch_step.py`."""
    rate = "images_per_second" if shape in IMAGES else "tokens_per_second"
    unit = rate.split("_")[0]
    common = ["--shape", shape, "--threads", threads, "--seconds", arguments.seconds]
    commands = {"wd": [arguments.wd, "bench", *common, "--json"]}
    variants = [variant for variant in arguments.variants if variant != "channels-last" or shape in IMAGES]
    for variant in variants:
        commands[variant] = [arguments.python, HERE / "pytorch_step.py", *common, "--variant", variant]
    failed = {}
    pairs = []
    for pair in range(arguments.pairs):
        results = in_turn(commands, pair)
        for variant in variants:
            if "error" in results.get(variant, {}):
                failed[variant] = results.pop(variant)["error"]
                del commands[variant]
                say(f"{shape}, {threads} threads: PyTorch {variant} does not run here: {failed[variant]}")
        pairs.append(results)
        speeds = ", ".join(f"{name} {result[rate]:.0f} {unit}/s" for name, result in results.items())
        ours = results["wd"]
        fraction = ours["gflops"] / ours["gemm_gflops"]
        say(f"{shape}, {threads} threads, pair {pair + 1}: {speeds}; {fraction:.0%} of the GEMM rate")
    rows = []
    for variant in list(commands)[1:]:
        rows.append({
            "variant": variant,
            "speed_ratio": spread([p["wd"][rate] / p[variant][rate] for p in pairs]),
            "memory_ratio": spread([p[variant]["peak_memory_bytes"] / p["wd"]["resident_peak_bytes"] for p in pairs]),
            "per_second": spread([p[variant][rate] for p in pairs]),
            "peak_memory_bytes": min(p[variant]["peak_memory_bytes"] for p in pairs),
            "import_memory_bytes": min(p[variant]["import_memory_bytes"] for p in pairs),
        })
    return {
        "benchmark": "step",
        "shape": shape,
        "threads": threads,
        "unit": unit,
        "per_second": spread([p["wd"][rate] for p in pairs]),
        "gemm_fraction": spread([p["wd"]["gflops"] / p["wd"]["gemm_gflops"] for p in pairs]),
        "peak_memory_bytes": max(p["wd"]["resident_peak_bytes"] for p in pairs),
        "against": rows,
        "failed": failed,
        "pairs": pairs,
    }


def compare_adamw(arguments, threads, clip, say):
    """The fused step of `crates/optim/examples/adamw_speed.rs` against `pytorch_adamw.py`, alone or with a clip before it."""
    options = ["--threads", threads] + (["--clip", 1] if clip else [])
    what = "clip and AdamW" if clip else "AdamW"
    commands = {
        "wd": [arguments.adamw_speed, *options],
        "pytorch": [arguments.python, HERE / "pytorch_adamw.py", *options],
    }
    pairs = []
    for pair in range(arguments.pairs):
        results = in_turn(commands, pair)
        pairs.append(results)
        for name, result in results.items():
            if result["threads"] != threads:
                raise SystemExit(f"{name} ran on {result['threads']} threads instead of {threads}")
        times = ", ".join(f"{name} {result['milliseconds']:.1f} ms" for name, result in results.items())
        say(f"{what}, {threads} threads, pair {pair + 1}: {times}")

    def per_parameter(result):
        return result["milliseconds"] / result["parameters"]

    return {
        "benchmark": "adamw",
        "what": what,
        "threads": threads,
        "milliseconds": {name: spread([p[name]["milliseconds"] for p in pairs]) for name in commands},
        "speed_ratio": spread([per_parameter(p["pytorch"]) / per_parameter(p["wd"]) for p in pairs]),
        "of_memory_rate": spread([p["wd"]["traffic_milliseconds"] / p["wd"]["milliseconds"] for p in pairs]),
        "pairs": pairs,
    }


def compare_side_by_side(arguments, shape, say):
    """Two 1-thread benchmarks at once against one alone."""
    command = [arguments.wd, "bench", "--shape", shape, "--threads", 1, "--seconds", arguments.seconds, "--json"]
    pairs = []
    for pair in range(arguments.pairs):
        alone = Process(command).wait()["tokens_per_second"]
        both = [process.wait()["tokens_per_second"] for process in [Process(command), Process(command)]]
        pairs.append({"alone": alone, "both": both, "ratio": sum(both) / alone})
        say(f"{shape}, pair {pair + 1}: alone {alone:.0f}, at once {both[0]:.0f} + {both[1]:.0f} tokens/s")
    return {
        "benchmark": "side-by-side",
        "shape": shape,
        "throughput_ratio": spread([pair["ratio"] for pair in pairs]),
        "pairs": pairs,
    }


def markdown(results):
    """The results as Markdown tables."""
    tables = {
        "step": [
            "| shape | threads | weight-decay | of GEMM rate | PyTorch | PyTorch "
            "| speed ratio | memory, MB | memory ratio |",
            "|---|---|---|---|---|---|---|---|---|",
        ],
        "adamw": [
            "| 50 M parameters | weight-decay ms | of memory's rate | PyTorch fused ms | speed ratio |",
            "|---|---|---|---|---|",
        ],
        "side-by-side": ["| shape | two 1-thread trials at once / one |", "|---|---|"],
    }
    head = {kind: len(lines) for kind, lines in tables.items()}
    for result in results:
        lines = tables[result["benchmark"]]
        if result["benchmark"] == "step":
            for row in sorted(result["against"], key=lambda row: row["speed_ratio"]["median"]):
                lines.append(
                    f"| {result['shape']} | {result['threads']} | {result['per_second']['median']:.0f} {result['unit']}/s "
                    f"| {result['gemm_fraction']['median']:.0%} | {row['variant']} "
                    f"| {row['per_second']['median']:.0f} {result['unit']}/s | {show(row['speed_ratio'])} "
                    f"| {result['peak_memory_bytes'] / 1e6:.0f} : {row['peak_memory_bytes'] / 1e6:.0f} "
                    f"| {show(row['memory_ratio'])} |"
                )
        elif result["benchmark"] == "adamw":
            times = result["milliseconds"]
            lines.append(
                f"| {result['what']}, {result['threads']} threads | {times['wd']['median']:.1f} "
                f"| {result['of_memory_rate']['median']:.0%} | {times['pytorch']['median']:.1f} | {show(result['speed_ratio'])} |"
            )
        else:
            lines.append(f"| {result['shape']} | {show(result['throughput_ratio'])} |")
    return "\n\n".join("\n".join(lines) for kind, lines in tables.items() if len(lines) > head[kind])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", nargs="+", default=["step", "adamw"], choices=("step", "adamw"))
    parser.add_argument("--side-by-side", action="store_true", help="only: two 1-thread trials at once against one")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--shapes", nargs="+", default=["small", "medium"], choices=("small", "medium", *IMAGES))
    parser.add_argument("--threads", nargs="+", type=int, default=[2, 1])
    parser.add_argument(
        "--variants", nargs="+", default=["eager", "compile", "channels-last"],
        choices=("eager", "compile", "tuned", "channels-last"),
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="timed seconds of each run of `step`")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--wd", type=Path, default=RELEASE / "wd")
    parser.add_argument("--adamw-speed", type=Path, default=RELEASE / "examples" / "adamw_speed")
    parser.add_argument("--python", type=Path, default=sys.executable, help="the interpreter that has PyTorch")
    arguments = parser.parse_args()
    if arguments.pairs < 1:
        parser.error("--pairs must be at least 1")

    def say(text):
        print(text, file=sys.stderr if arguments.json else sys.stdout, flush=True)

    if os.getloadavg()[0] > 0.3 * os.cpu_count():
        say("Other work is running here: OpenMP's threads wait for each other, so PyTorch suffers more from it.")
    results = []
    if arguments.side_by_side:
        results = [compare_side_by_side(arguments, shape, say) for shape in arguments.shapes]
    else:
        for threads in arguments.threads:
            if "step" in arguments.benchmarks:
                results += [compare_step(arguments, shape, threads, say) for shape in arguments.shapes]
            if "adamw" in arguments.benchmarks:
                for clip in [False, True]:
                    results.append(compare_adamw(arguments, threads, clip, say))
    if arguments.json:
        print(json.dumps({"results": results}))
    else:
        print(f"\n{markdown(results)}\n\nRatios: median (lowest–highest) of {arguments.pairs} pairs.")


if __name__ == "__main__":
    main()
