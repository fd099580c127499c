"""The command: ``main``, ``python -m weight_decay``, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import weight_decay as wd

SETTING = ["explain", "torch.AdamW", "weight_decay=0.1", "lr=6e-4"]


def run(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "weight_decay", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **more,  # type: ignore[call-overload]
    )


def test_the_module_is_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert wd.main(SETTING) == 0
    printed = capfd.readouterr().out
    assert "κ" in printed or "s = " in printed or "shrink" in printed
    found = run(*SETTING)
    assert (found.returncode, found.stdout) == (0, printed)


def test_several_commands_of_one_process_are_told_apart(
    capfd: pytest.CaptureFixture[str], corpora: Path
) -> None:
    table = str(corpora / "tables" / "diabetes.csv")
    assert wd.main(SETTING) == 0
    first = capfd.readouterr().out
    # The first of them starts the threads that all work shares.
    for _ in range(2):
        assert wd.main(["evidence", table, "--target", "target"]) == 0
        assert "14.86" in capfd.readouterr().out
    assert wd.evidence(table, target="target").lambda_ == pytest.approx(14.856, abs=1e-3)
    assert wd.main(SETTING) == 0
    assert capfd.readouterr().out == first


def test_exit_codes_and_errors_are_those_of_the_command() -> None:
    wrong = run("explain", "torch.AdamV")
    assert wrong.returncode == 1
    assert "AdamW" in wrong.stderr
    assert run("nonsense").returncode == 2
    assert run("--version").stdout.startswith("wd ")
    impossible = run("convert", "torch.Adam", "weight_decay=0.1", "lr=1e-3", "--to", "torch.AdamW")
    assert impossible.returncode == 4


def test_a_page_says_how_it_is_made_again(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run(*SETTING, "steps=100", "--html", str(page)).returncode == 0
    assert "wd explain torch.AdamW weight_decay=0.1 lr=6e-4 steps=100" in page.read_text()


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise on Windows")
def test_ctrl_c_ends_the_command(tmp_path: Path) -> None:
    table = tmp_path / "big.csv"
    # A reader that waits for its input: the command itself has to be stopped.
    os.mkfifo(table)
    child = subprocess.Popen(
        [sys.executable, "-m", "weight_decay", "evidence", str(table), "--target", "y"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(1.0)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=10) == -signal.SIGINT


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise on Windows")
def test_ctrl_c_ends_a_question(tmp_path: Path) -> None:
    table = tmp_path / "big.csv"
    os.mkfifo(table)
    script = (
        "import weight_decay as wd\n"
        f"try:\n    wd.evidence({str(table)!r}, target='y')\n"
        "except KeyboardInterrupt:\n    print('stopped', flush=True)\n    import os; os._exit(0)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(1.0)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=10)
    assert out == "stopped\n", err


def test_a_trial_is_started_as_the_same_command() -> None:
    # `wd sweep` starts itself: an interpreter with the package, and no other file.
    found = run("sweep", "nowhere.toml", "decay.lambda=0,1", "--out", "nowhere")
    assert found.returncode == 1
    assert "nowhere.toml" in found.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_forked_process_is_told_instead_of_hanging(corpora: Path) -> None:
    table = str(corpora / "tables" / "diabetes.csv")
    script = (
        "import os, sys, warnings, weight_decay as wd\n"
        "warnings.simplefilter('ignore')\n"
        f"ask = lambda: wd.evidence({table!r}, target='target')\n"
        "ask()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n        ask()\n"
        "    except wd.WeightDecayError as error:\n"
        "        os._exit(0 if 'spawn' in str(error) else 2)\n"
        "    os._exit(1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    found = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert found.returncode == 0


def test_importing_is_quick_and_brings_nothing_along() -> None:
    script = (
        "import sys, time; begin = time.process_time(); import weight_decay; "
        "took = time.process_time() - begin; "
        "heavy = {'torch', 'numpy', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules); "
        "print(took, sorted(heavy))"
    )
    best = 1.0
    for _ in range(5):
        out = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout
        seconds, heavy = out.split(maxsplit=1)
        assert heavy.strip() == "[]"
        best = min(best, float(seconds))
    assert best < 0.1
