"""Which tensors decay: groups by policy, and the table of an optimizer."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import weight_decay as wd  # noqa: E402
from weight_decay.groups import POLICIES  # noqa: E402
from weight_decay.tensors import tensors  # noqa: E402

nn = torch.nn


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(8)
        self.attn = nn.MultiheadAttention(8, 2)
        self.mlp = nn.Linear(8, 8)
        self.gamma = nn.Parameter(torch.ones(8))


class Model(nn.Module):
    """Token and position embeddings, a block, a tied head, a frozen layer."""

    def __init__(self) -> None:
        super().__init__()
        self.wte = nn.Embedding(16, 8)
        self.wpe = nn.Embedding(4, 8)
        self.block = Block()
        self.frozen = nn.Linear(8, 8)
        self.frozen.requires_grad_(False)
        self.lm_head = nn.Linear(8, 16, bias=False)
        self.lm_head.weight = self.wte.weight


def values(groups: list[dict[str, object]]) -> dict[str, float]:
    return {name: g["weight_decay"] for g in groups for name in g["param_names"]}  # type: ignore


def test_kinds_come_from_the_modules() -> None:
    kinds = {one.name: one.kind for one in tensors(Model())}
    assert kinds["wte.weight"] == "embedding"
    assert kinds["wpe.weight"] == "position"
    assert kinds["block.ln_1.weight"] == "norm"
    assert kinds["block.ln_1.bias"] == "bias"
    assert kinds["block.attn.in_proj_weight"] == "matrix"
    assert kinds["block.attn.in_proj_bias"] == "bias"
    assert kinds["block.mlp.weight"] == "matrix"
    # A norm whose name does not say so.
    plain = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Conv1d(4, 4, 3))
    assert [one.kind for one in tensors(plain)] == [
        "matrix",
        "bias",
        "norm",
        "bias",
        "convolution",
        "bias",
    ]


def test_policies_differ_where_they_should() -> None:
    model = Model()
    assert {"nanogpt", "hf", "timm", "olmo", "everything"} <= set(POLICIES)
    by = {name: values(wd.param_groups(model, 0.1, name)) for name in POLICIES}
    for chosen in by.values():
        assert chosen["block.mlp.weight"] == 0.1
        assert "frozen.weight" not in chosen
        assert "lm_head.weight" not in chosen
    assert by["nanogpt"]["wte.weight"] == 0.1
    assert by["nanogpt"]["block.gamma"] == 0.0
    assert by["hf"]["block.ln_1.weight"] == 0.0
    assert by["hf"]["block.gamma"] == 0.1
    assert by["timm"]["wpe.weight"] == 0.0
    assert by["olmo"]["wte.weight"] == 0.0
    assert by["olmo"]["block.ln_1.weight"] == 0.1
    assert by["matrices"]["wte.weight"] == 0.0
    assert set(by["everything"].values()) == {0.1}


def test_overrides_and_no_decay() -> None:
    groups = wd.param_groups(
        Model(), 0.1, overrides={"block.*": 0.05, "*.bias": 0.0}, no_decay=["wte.*"], lr=1e-3
    )
    chosen = values(groups)
    assert chosen["block.mlp.weight"] == 0.05
    assert chosen["block.mlp.bias"] == 0.0
    assert chosen["wte.weight"] == 0.0
    assert [g["weight_decay"] for g in groups] == sorted(set(chosen.values()), reverse=True)
    assert all(g["lr"] == 1e-3 for g in groups)
    optimizer = torch.optim.AdamW(groups)
    assert optimizer.param_groups[0]["param_names"] == groups[0]["param_names"]
    trained = {id(p) for p in Model().parameters() if p.requires_grad}
    assert sum(len(g["params"]) for g in optimizer.param_groups) == len(trained)


def test_what_timm_lists_does_not_decay() -> None:
    class Vit(Model):
        def no_weight_decay(self) -> set[str]:
            return {"block.mlp.weight"}

    assert values(wd.param_groups(Vit(), 0.1, "timm"))["block.mlp.weight"] == 0.0
    assert values(wd.param_groups(Vit(), 0.1, "nanogpt"))["block.mlp.weight"] == 0.1


def test_wrong_questions_are_told() -> None:
    with pytest.raises(wd.WeightDecayError, match="nanogpt"):
        wd.param_groups(Model(), 0.1, "nanogtp")
    with pytest.raises(wd.WeightDecayError, match="blok"):
        wd.param_groups(Model(), 0.1, overrides={"blok.*": 0.0})
    with pytest.raises(wd.WeightDecayError, match="at least 0"):
        wd.param_groups(Model(), -0.1)
    with pytest.raises(wd.WeightDecayError, match="no parameter"):
        wd.param_groups(nn.ReLU())


def test_the_table_warns_of_what_is_unusual() -> None:
    model = Model()
    optimizer = torch.optim.AdamW(
        [p for n, p in model.named_parameters() if n != "block.gamma"], weight_decay=0.1
    )
    optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))]})
    table = wd.decay_table(model, optimizer)
    assert "norm decays" in table["block.ln_1.weight"].warnings[0]
    assert "bias decays" in table["block.mlp.bias"].warnings[0]
    assert "positions" in table["wpe.weight"].warnings[0]
    assert "tied to lm_head.weight" in table["wte.weight"].warnings[0]
    assert "frozen" in table["frozen.weight"].warnings[0]
    assert table["block.gamma"].weight_decay is None
    assert "never moves" in table["block.gamma"].warnings[0]
    assert "not the model's" in table.warnings[-1]
    assert "block.mlp.weight" in str(table)
    assert table._repr_html_().count("<tr>") == len(table) + 1
    assert len(table.to_dict()) == len(table)
    clean = wd.decay_table(model, torch.optim.AdamW(wd.param_groups(model, 0.1, "matrices")))
    assert clean.warnings == []


def test_adapters_are_warned_of() -> None:
    model = nn.ModuleDict(
        {"lora_A": nn.Linear(8, 2, bias=False), "lora_B": nn.Linear(2, 8, bias=False)}
    )
    table = wd.decay_table(model, torch.optim.AdamW(model.parameters(), weight_decay=0.1))
    assert any("low-rank adapter" in warning for warning in table.warnings)
