"""Questions and their answers: the same values, words and errors as the command's."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import weight_decay as wd

RUN = {"weight_decay": 0.1, "lr": 6e-4, "steps": 50_000, "schedule": "cosine,warmup=400,floor=0.1"}


def command(*words: str) -> object:
    out = subprocess.run(
        [sys.executable, "-m", "weight_decay", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return json.loads(out)


def same(ours: object, theirs: object) -> bool:
    if isinstance(theirs, dict):
        return (
            isinstance(ours, dict)
            and ours.keys() == theirs.keys()
            and all(same(ours[key], theirs[key]) for key in theirs)
        )
    if isinstance(theirs, list):
        return (
            isinstance(ours, list)
            and len(ours) == len(theirs)
            and all(same(a, b) for a, b in zip(ours, theirs, strict=True))
        )
    # JSON has no ∞ and no NaN.
    if theirs is None and isinstance(ours, float):
        return not math.isfinite(ours)
    return ours == theirs


def test_an_explanation_is_the_commands() -> None:
    answer = wd.explain("torch.AdamW", **RUN)
    assert answer.kappa == pytest.approx(1.649, abs=1e-3)
    assert answer.initial_share == pytest.approx(0.19, abs=0.01)
    assert answer.tau_steps == pytest.approx(1 / 6e-5)
    assert answer.warnings
    words = [f"{key}={value}" for key, value in RUN.items()]
    assert same(answer.to_dict(), command("explain", "torch.AdamW", *words))


def test_betas_and_switches_are_numbers_and_words() -> None:
    answer = wd.explain(
        "torch.Adam",
        lr=1e-3,
        weight_decay=0.1,
        betas=(0.8, 0.95),
        decoupled_weight_decay=True,
        steps=10,
    )
    assert answer["rule"] == "decoupled" or "decoupled" in str(answer.to_dict())


def test_a_configuration_is_explained() -> None:
    with pytest.raises(wd.WeightDecayError, match=r"nowhere\.toml"):
        wd.explain("nowhere.toml")


def test_conversions_are_the_commands() -> None:
    answer = wd.convert("torch.AdamW", weight_decay=0.1, lr=6e-4, to="big_vision.adam")
    assert answer.is_exact
    assert answer.call is not None
    assert "config.wd = 6e-5" in answer.call
    everywhere = wd.convert("torch.AdamW", weight_decay=0.1, lr=6e-4)
    theirs = command("convert", "torch.AdamW", "weight_decay=0.1", "lr=6e-4", "--to", "all")
    assert same(everywhere.to_dict(), theirs)
    assert len(everywhere.conversions) > 30
    impossible = wd.convert("torch.Adam", weight_decay=0.1, lr=1e-3, to="torch.AdamW")
    assert impossible.conversions[0]["answer"] == "impossible"


def test_advice_is_the_commands() -> None:
    options = {
        "params": "124M",
        "tokens": "10B",
        "batch": "0.5M",
        "lr": 6e-4,
        "schedule": "cosine:0.1",
    }
    answer = wd.advise(**options)
    assert answer.lambda_ == pytest.approx(0.78, abs=0.01)
    assert answer.interval is not None
    assert answer.interval[0] < answer.lambda_ < answer.interval[1]
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    assert same(answer.to_dict(), command("advise", *words))
    fine = wd.advise(params="1B", tokens="20M", batch="64k", lr=1e-5, fine_tune=True)
    assert (fine.lambda_, fine.interval) == (None, None)
    assert fine.verdict["outcome"] == "not-covered"


def test_an_audit_is_the_commands(corpora: Path) -> None:
    first, second = (str(corpora / "checkpoints" / f"lm-150{n}.pt") for n in (0, 1))
    answer = wd.audit(first, against=second)
    assert answer.worst == "warning"
    assert same(answer.to_dict(), command("audit", first, "--against", second))
    assert answer.lambda_ == pytest.approx(0.1, abs=1e-4)
    assert answer.lambda_interval is not None
    assert answer.lambda_interval[0] < 0.1 < answer.lambda_interval[1]


def test_evidence_is_the_commands(corpora: Path) -> None:
    table = corpora / "tables" / "diabetes.csv"
    answer = wd.evidence(table, target="target", compare="loo,cv:10")
    assert answer.lambda_ == pytest.approx(14.856, abs=1e-3)
    assert answer.lambda_interval == pytest.approx((5.498, 40.14), rel=1e-3)
    theirs = command("evidence", str(table), "--target", "target", "--compare", "loo,cv:10")
    assert same(answer.to_dict(), theirs)


def test_errors_are_exceptions_with_the_same_words() -> None:
    with pytest.raises(wd.WeightDecayError, match="AdamW") as caught:
        wd.explain("torch.AdamV", weight_decay=0.1)
    printed = subprocess.run(
        [sys.executable, "-m", "weight_decay", "explain", "torch.AdamV", "weight_decay=0.1"],
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    assert caught.value.message.split("\n")[0][:40] in " ".join(printed.split())
    assert isinstance(caught.value, ValueError)
    with pytest.raises(wd.WeightDecayError, match="nowhere"):
        wd.audit("nowhere.pt")
    with pytest.raises(wd.WeightDecayError, match="family"):
        wd.evidence("nowhere.csv", target="y", family="cauchy")


def test_an_answer_shows_itself() -> None:
    answer = wd.explain("torch.AdamW", **RUN)
    assert repr(answer).startswith("<Explanation: It leaves 19")
    assert "\n" not in repr(answer)
    assert "κ = Σ s" in str(answer)
    page = answer.html()
    assert page.startswith("<!DOCTYPE html>")
    assert "weight_decay.explain(&#39;torch.AdamW&#39;" in page or "weight_decay.explain(" in page
    shown = answer._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "<!DOCTYPE" not in shown
    assert answer["timescale"]["kappa"] == answer.kappa
    assert "timescale" in list(answer.keys())
    answer.to_dict()["timescale"]["kappa"] = 0.0
    assert answer.kappa != 0.0


def test_figures_are_svg_html_and_matplotlib(tmp_path: Path) -> None:
    answer = wd.explain("torch.AdamW", **RUN)
    figure = answer.figures[0]
    assert figure.svg().startswith("<svg ")
    assert figure.svg(500).count('width="500"') == 2
    assert figure.html().startswith("<figure><svg ")
    assert figure.csv.count("\n") > 10
    answer.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == answer.html()
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    axes = answer.plot()
    points = figure.to_dict()["Panels"]["panels"][0]["series"][0]["points"]
    drawn = axes.lines[-1] if len(axes.lines) == 1 else axes.lines[0]
    assert len(drawn.get_xdata()) >= 2
    assert len(points) >= 2
    _, ax = plt.subplots()
    assert answer.plot(ax=ax) is ax
    plt.close("all")


def test_frames_are_rows() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = wd.convert("torch.AdamW", weight_decay=0.1, lr=6e-4).to_frame()
    assert isinstance(table, pandas.DataFrame)
    assert {"target", "answer", "call"} <= set(table.columns)
    assert len(table) > 30


def test_other_threads_run_while_a_question_is_answered(corpora: Path) -> None:
    ticks = 0
    is_done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not is_done.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    wd.evidence(corpora / "tables" / "digits.csv.gz", target="column65", no_header=True)
    is_done.set()
    thread.join()
    # With Python's lock held there would be one.
    assert ticks > 5


def test_a_keyword_that_is_none_is_named_with_the_nearest() -> None:
    with pytest.raises(wd.WeightDecayError, match=r"no option `parms`\ndid you mean `params`"):
        wd.advise(parms="124M")
    with pytest.raises(wd.WeightDecayError, match=r"no option `drop_missing_row`\n.*missing_rows"):
        wd.evidence("table.csv", target="y", drop_missing_row=True)
