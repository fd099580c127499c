"""A training that is watched: its run directory is one of ``wd``."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import weight_decay as wd  # noqa: E402

nn = torch.nn
STEPS = 40


def data() -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(64, 6, generator=generator)
    return inputs, inputs @ torch.randn(6, 2, generator=generator)


def train(
    folder: Path,
    *,
    decay: float = 0.1,
    seed: int = 0,
    steps: int = STEPS,
    until: int | None = None,
    rule: str | None = None,
    every: int = 10,
    **options: Any,
) -> Any:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.LayerNorm(16), nn.Linear(16, 2))
    optimizer = torch.optim.AdamW(wd.param_groups(model, decay), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=1e-3)
    if rule:
        wd.apply_rule(optimizer, rule)
    inputs, targets = data()
    with wd.Monitor(
        model,
        optimizer,
        folder,
        steps=steps,
        every=every,
        scheduler=scheduler,
        seed=seed,
        samples_per_step=64,
        **options,
    ) as monitor:
        for step in range(until or steps):
            loss = (model(inputs) - targets).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            monitor.step(loss)
            if step + 1 == steps:
                with torch.no_grad():
                    final = float((model(inputs) - targets).square().mean())
                monitor.evaluate(validation_loss=final + 0.01, train_eval_loss=final)
    return model


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "weight_decay", *words],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_is_read_shown_and_reported(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train(folder)
    run = wd.read_run(folder)
    assert (run.status, run.step, run.path) == ("finished", STEPS, folder)
    plan = run.plan
    assert plan["lambda"] == 0.1
    assert plan["policy"] == "nanogpt"
    assert plan["rule"] == "decoupled"
    assert plan["peak_learning_rate"] == 1e-2
    assert plan["schedule"]["kind"] == "cosine"
    assert plan["schedule"]["floor"] == pytest.approx(0.1, abs=0.01)
    rates = run.column("learning_rate")
    assert plan["kappa"] == pytest.approx(0.1 * rates.sum(), rel=1e-2)
    assert len(run.column("train_loss")) == STEPS
    assert run.column("train_loss")[-1] < run.column("train_loss")[0]
    measured = run.column("weight_norm/0.weight")
    assert [place for place, one in enumerate(measured) if math.isfinite(one)] == [9, 19, 29, 39]
    with pytest.raises(KeyError, match="train_loss"):
        run.column("loss")
    assert "Finished: 40 steps" in run.lead
    assert len(run.figures) >= 2
    written = command("report", str(folder))
    assert written.returncode == 0, written.stderr
    assert "nanogpt" in (folder / "report.html").read_text()
    numbers = command("metrics", str(folder), "--json").stdout.splitlines()
    assert json.loads(numbers[-1])["train_eval_loss"] == run.column("train_eval_loss")[-1]
    assert list(run.to_dict()["columns"]) == list(run.columns)


@pytest.mark.parametrize("rule", [None, "constant", "to-initial"])
def test_what_is_measured_is_what_happened(tmp_path: Path, rule: str | None) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(5, 5, bias=False)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, weight_decay=0.2)
    if rule:
        wd.apply_rule(optimizer, rule)
    start = layer.weight.detach().clone()
    with wd.Monitor(layer, optimizer, tmp_path / "run", steps=2, every=1) as monitor:
        for _ in range(2):
            gradient = torch.randn(5, 5)
            layer.weight.grad = gradient
            before = layer.weight.detach().clone()
            optimizer.step()
            after = layer.weight.detach().clone()
            monitor.step(1.0)
    run = wd.read_run(tmp_path / "run")

    def last(name: str) -> float:
        return float(run.column(f"{name}/weight")[-1])

    assert last("weight_norm") == pytest.approx(float(before.norm()), rel=1e-5)
    assert last("gradient_norm") == pytest.approx(float(gradient.norm()), rel=1e-5)
    assert last("update_norm") == pytest.approx(float((after - before).norm()), rel=1e-4)
    shrink = 0.2 if rule == "constant" else 0.02
    distance = before - start if rule == "to-initial" else before
    assert last("decay_norm") == pytest.approx(shrink * float(distance.norm()), rel=1e-4)
    # A penalty is a part of the direction; a decay beside it is none.
    direction = gradient + 0.2 * before if rule is None else gradient
    cosine = torch.nn.functional.cosine_similarity(before.ravel(), direction.ravel(), dim=0)
    if rule != "to-initial":
        assert last("cosine") == pytest.approx(float(cosine), abs=1e-3)
    assert run.column("shrink")[-1] == pytest.approx(shrink)


def test_runs_of_several_seeds_give_a_verdict(tmp_path: Path) -> None:
    for decay in (0.0, 0.3):
        for seed in range(3):
            train(tmp_path / f"lambda={decay},seed={seed}", decay=decay, seed=seed, data="made")
    study = wd.read_study(tmp_path)
    assert len(study) == 6
    found = study.verdict()
    assert len(found.arms) == 2
    assert len(found.comparisons) == 1
    assert found.comparisons[0]["pairing"] is not None or found.comparisons[0]
    assert "λ" in str(found)
    frame = pytest.importorskip("pandas", reason="pandas is not installed") and study.to_frame()
    assert sorted(set(frame["lambda"])) == [0.0, 0.3]
    assert frame["train_eval_loss"].notna().all()


def test_a_run_is_continued(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train(folder, until=25)
    assert wd.read_run(folder).status == "interrupted"
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.LayerNorm(16), nn.Linear(16, 2))
    optimizer = torch.optim.AdamW(wd.param_groups(model, 0.1), lr=1e-2)
    with wd.Monitor(model, optimizer, folder, steps=STEPS, after_step=20) as monitor:
        for _ in range(20):
            monitor.step(0.5)
    run = wd.read_run(folder)
    assert (run.status, len(run.column("step"))) == ("finished", STEPS)
    assert (run.column("train_loss")[20:] == 0.5).all()
    assert [one["kind"] for one in run["events"]] == [
        "started",
        "interrupted",
        "resumed",
        "finished",
    ]


def test_one_process_writes(tmp_path: Path) -> None:
    layer = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    with wd.Monitor(layer, optimizer, tmp_path / "run", steps=1) as monitor:
        with pytest.raises(wd.WeightDecayError, match="process"):
            wd.Monitor(layer, optimizer, tmp_path / "run", steps=1)
        monitor.step(0.0)


def test_a_loss_that_is_not_finite_ends_a_run(tmp_path: Path) -> None:
    layer = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    with wd.Monitor(layer, optimizer, tmp_path / "run", steps=5) as monitor:
        monitor.step(1.0)
        monitor.step(torch.tensor(math.inf))
    assert wd.read_run(tmp_path / "run").status == "diverged"


def test_wrong_questions_are_told(tmp_path: Path) -> None:
    layer = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    with pytest.raises(wd.WeightDecayError, match="0 steps"):
        wd.Monitor(layer, optimizer, tmp_path / "run", steps=0)
    with pytest.raises(wd.WeightDecayError, match="no run"):
        wd.read_run(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="plan"):
        wd.read_study(tmp_path)
    with wd.Monitor(layer, optimizer, tmp_path / "done", steps=1) as monitor:
        monitor.step(0.0)
    with pytest.raises(wd.WeightDecayError, match="has finished"):
        wd.Monitor(layer, optimizer, tmp_path / "done", steps=1)


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_watching_costs_little(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(512, 512) for _ in range(6)]
    model = nn.Sequential(*layers)
    optimizer = torch.optim.AdamW(wd.param_groups(model, 0.1), lr=1e-3)
    inputs = torch.randn(256, 512)

    def step() -> Any:
        loss = model(inputs).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(5):
        step()
    # One step in ten is measured: it is set against those around it.
    times: list[float] = []
    with wd.Monitor(model, optimizer, tmp_path / "run", steps=300, every=10) as monitor:
        for _ in range(300):
            begin = time.process_time()
            monitor.step(step())
            times.append(time.process_time() - begin)
    plain = statistics.median(one for place, one in enumerate(times) if place % 10 != 9)
    measured = statistics.median(times[9::10])
    assert (measured - plain) / 10 < 0.02 * plain


DISTRIBUTED = """
import os, sys
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import weight_decay as wd

def main(rank, folder, kind):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="{port}")
    dist.init_process_group("gloo", rank=rank, world_size=2)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    whole = {{n: p.detach().norm().item() for n, p in model.named_parameters()}}
    if kind == "fsdp":
        from torch.distributed.fsdp import fully_shard
        from torch.distributed.device_mesh import init_device_mesh
        fully_shard(model, mesh=init_device_mesh("cpu", (2,)))
    else:
        model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(wd.param_groups(model, 0.1), lr=1e-2)
    with wd.Monitor(model, optimizer, folder, steps=4, every=1) as monitor:
        for step in range(4):
            torch.manual_seed(10 + step)
            loss = model(torch.randn(8, 6)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            monitor.step(loss)
    if rank == 0:
        run = wd.read_run(folder)
        prefix = "" if kind == "fsdp" else "module."
        for name, value in whole.items():
            first = run.column(f"weight_norm/{{prefix}}{{name}}")[0]
            assert abs(first - value) < 1e-5 * value, (name, first, value)
        assert run.status == "finished"
        print("same norms")
    dist.destroy_process_group()

if __name__ == "__main__":
    mp.spawn(main, args=(sys.argv[1], sys.argv[2]), nprocs=2)
"""


@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_two_processes_write_one_run_with_whole_norms(tmp_path: Path, kind: str) -> None:
    if not torch.distributed.is_gloo_available():
        pytest.skip("this PyTorch has no gloo")
    script = tmp_path / "train.py"
    port = 20_000 + os.getpid() % 20_000 + (kind == "fsdp")
    script.write_text(DISTRIBUTED.format(port=port))
    found = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "run"), kind],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert "same norms" in found.stdout, found.stderr[-3000:]
