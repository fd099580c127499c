"""The callbacks of other trainers, each in a small training to its end."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import weight_decay as wd  # noqa: E402


def test_hugging_face(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    from weight_decay.callbacks import HuggingFaceCallback

    torch.manual_seed(0)
    shape = transformers.GPT2Config(
        n_layer=1,
        n_head=2,
        n_embd=16,
        vocab_size=64,
        n_positions=16,
        bos_token_id=0,
        eos_token_id=0,
    )
    rows = [{"input_ids": one, "labels": one} for one in torch.randint(0, 64, (64, 16))]
    arguments = transformers.TrainingArguments(
        str(tmp_path),
        max_steps=12,
        per_device_train_batch_size=8,
        learning_rate=1e-3,
        weight_decay=0.1,
        logging_steps=1,
        eval_strategy="steps",
        eval_steps=6,
        report_to=[],
        use_cpu=True,
        lr_scheduler_type="linear",
        warmup_steps=2,
        save_strategy="no",
        disable_tqdm=True,
        seed=7,
    )
    trainer = transformers.Trainer(
        transformers.GPT2LMHeadModel(shape),
        arguments,
        train_dataset=rows,
        eval_dataset=rows[:16],
        callbacks=[HuggingFaceCallback(every=4)],
    )
    trainer.train()
    run = wd.read_run(tmp_path / "wd")
    assert (run.status, run.step) == ("finished", 12)
    assert run.plan["policy"] in {"hf", "nanogpt"}
    assert (run.plan["seed"], run.plan["samples_per_step"]) == (7, 8)
    logged = {one["step"]: one for one in trainer.state.log_history if "loss" in one}
    losses = run.column("train_loss")
    for step in range(1, 13):
        assert losses[step - 1] == pytest.approx(logged[step]["loss"], abs=1e-3)
    evaluated = [one["eval_loss"] for one in trainer.state.log_history if "eval_loss" in one]
    assert run.column("validation_loss")[5] == pytest.approx(evaluated[0])
    assert run.column("learning_rate")[0] == 0.0
    assert run.column("learning_rate").max() == pytest.approx(1e-3)


def test_lightning(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning.pytorch", reason="lightning is not installed")
    from weight_decay.callbacks import LightningCallback

    class Module(lightning.LightningModule):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 2)

        def training_step(self, batch: Any, place: int) -> Any:
            return self.layer(batch[0]).square().mean()

        def validation_step(self, batch: Any, place: int) -> None:
            self.log("val_loss", self.layer(batch[0]).square().mean())

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(wd.param_groups(self, 0.1), lr=1e-2)
            wd.apply_rule(optimizer, "independent")
            scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 16)
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
            }

    torch.manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.randn(64, 4))
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    trainer = lightning.Trainer(
        default_root_dir=tmp_path,
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[LightningCallback(every=4)],
    )
    trainer.fit(Module(), loader, loader)
    run = wd.read_run(tmp_path / "wd")
    assert (run.status, run.step) == ("finished", 16)
    assert run.plan["rule"] == "independent"
    assert run.plan["schedule"]["kind"] == "cosine"
    shrinks = run.column("shrink")
    assert shrinks[0] == pytest.approx(0.1)
    assert shrinks[-1] < 0.01
    assert run.column("validation_loss")[15] > 0


KERAS = """
import sys
import numpy as np
import keras
import weight_decay as wd
from weight_decay.keras import KerasCallback

folder, backend = sys.argv[1:]
assert keras.backend.backend() == backend
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((6,)), keras.layers.Dense(16, activation="relu"),
    keras.layers.LayerNormalization(), keras.layers.Dense(2),
])
optimizer = keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(1e-2, 16),
                                   weight_decay=0.1)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
model.compile(optimizer, "mse")
x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
first = [np.array(keras.ops.convert_to_numpy(v.value)) for v in model.trainable_variables]
history = model.fit(x, x[:, :2], batch_size=8, epochs=2, verbose=0, shuffle=False,
                    validation_data=(x, x[:, :2]), callbacks=[KerasCallback(folder, every=1)])
run = wd.read_run(folder)
assert (run.status, run.step) == ("finished", 16), run
assert run.plan["policy"] == "nanogpt", run.plan["policy"]
assert run.plan["schedule"]["kind"] == "cosine"
for variable, start in zip(model.trainable_variables, first):
    norms = run.column(f"weight_norm/{variable.path}")
    assert abs(norms[0] - np.linalg.norm(start)) < 1e-5
    assert run.column(f"update_norm/{variable.path}").min() > 0
assert abs(run.column("train_loss")[8:].mean() - history.history["loss"][1]) < 1e-5
assert abs(run.column("validation_loss")[-1] - history.history["val_loss"][1]) < 1e-6
print("watched")
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_keras(tmp_path: Path, backend: str) -> None:
    # Not imported here: it would choose a backend for the whole process.
    for name in ("keras", backend):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    script = tmp_path / "train.py"
    script.write_text(KERAS)
    found = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "run"), backend],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    assert found.stdout.strip().endswith("watched"), found.stderr[-3000:]
