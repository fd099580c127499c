"""Whether it is applied: planted failures are found, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import weight_decay as wd  # noqa: E402

nn = torch.nn


def small() -> Any:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 2))


def loss_of(model: Any) -> Callable[[], Any]:
    def closure() -> Any:
        generator = torch.Generator().manual_seed(1)
        loss = model(torch.randn(16, 6, generator=generator)).square().mean()
        loss.backward()
        return loss

    return closure


def test_what_is_declared_is_applied() -> None:
    model = small()
    optimizer = torch.optim.AdamW(wd.param_groups(model, 0.1), lr=1e-2)
    found = wd.probe(model, optimizer, loss_of(model))
    assert found.is_well, str(found)
    row = found["0.weight"]
    assert row.verdict == "applied"
    assert row.declared == pytest.approx(1e-3)
    assert row.measured == pytest.approx(1e-3, rel=1e-3)
    assert row.real == pytest.approx(1e-3, rel=1e-3)
    assert found["1.weight"].verdict == "none"
    wd.assert_decay(model, optimizer, {"*": 0.0, "0.weight": 0.1, "2.weight": 0.1})


def test_nothing_is_left_behind() -> None:
    model = small()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    closure = loss_of(model)
    for _ in range(3):
        optimizer.zero_grad()
        closure()
        optimizer.step()
    closure()

    def everything() -> list[Any]:
        state = optimizer.state_dict()["state"]
        return [
            *(one.detach().clone() for one in model.parameters()),
            *(one.grad.clone() for one in model.parameters()),
            *(value.clone() for part in state.values() for value in part.values()),
            torch.random.get_rng_state(),
        ]

    before = everything()
    gradients = [one.grad for one in model.parameters()]
    wd.probe(model, optimizer)
    wd.probe(model, optimizer, closure)
    assert all(torch.equal(a, b) for a, b in zip(before, everything(), strict=True))
    assert all(a is one.grad for a, one in zip(gradients, model.parameters(), strict=True))
    assert optimizer.param_groups[0]["weight_decay"] == 0.1


def test_a_penalty_in_an_adaptive_optimizer_is_told() -> None:
    model = small()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=0.1)
    found = wd.probe(model, optimizer, loss_of(model))
    assert found["0.weight"].verdict == "coupled"
    assert "AdamW" in found["0.weight"].reason
    # Under plain gradient descent it is a decay.
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2, weight_decay=0.1, momentum=0.9)
    assert wd.probe(model, optimizer, loss_of(model))["0.weight"].verdict == "applied"


def test_a_decay_that_is_rounded_away_is_found() -> None:
    model = small().to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    row = wd.probe(model, optimizer)["0.weight"]
    assert row.verdict == "not applied"
    assert "bfloat16 rounds it away" in row.reason


def test_a_tensor_without_a_gradient_is_found() -> None:
    model = small()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    loss_of(model)()
    model[2].weight.grad = None
    row = wd.probe(model, optimizer)["2.weight"]
    assert row.verdict == "not applied"
    assert "no gradient" in row.reason


def test_a_decay_that_nobody_declared_is_found() -> None:
    model = small()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)

    def shrinks(optimizer: Any, args: Any, kwargs: Any) -> None:
        with torch.no_grad():
            model[0].weight.mul_(0.99)

    optimizer.register_step_post_hook(shrinks)
    found = wd.probe(model, optimizer)
    assert [row.name for row in found.failures] == ["0.weight"]
    assert found["0.weight"].verdict == "not declared"


def test_a_decay_that_is_done_twice_is_found() -> None:
    model = small()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)

    def again(optimizer: Any, args: Any, kwargs: Any) -> None:
        with torch.no_grad():
            for one in model.parameters():
                one.mul_(1 - 1e-3)

    optimizer.register_step_pre_hook(again)
    row = wd.probe(model, optimizer)["0.weight"]
    assert row.verdict == "wrong strength"
    assert row.measured == pytest.approx(2e-3, rel=1e-2)


def test_a_tensor_that_no_group_has_is_named() -> None:
    model = small()
    optimizer = torch.optim.AdamW(model[0].parameters(), weight_decay=0.1)
    found = wd.probe(model, optimizer)
    row = found["2.weight"]
    assert (row.weight_decay, row.reason) == (None, "no group of this optimizer has it")
    assert found.missing == ["1.weight", "1.bias", "2.weight", "2.bias"]
    assert "4 are in no group" in repr(found)
    with pytest.raises(AssertionError, match=r"2\.weight: λ is None, and 0\.1"):
        wd.assert_decay(model, optimizer, {"*.weight": 0.1})
    with pytest.raises(AssertionError, match="no tensor is called"):
        wd.assert_decay(model, optimizer, {"3.*": 0.1})


@pytest.mark.parametrize("rule", ["independent", "corrected", "constant", "cautious"])
def test_a_rule_is_measured_as_it_is_declared(rule: str) -> None:
    model = small()
    optimizer = torch.optim.AdamW(wd.param_groups(model, 0.01), lr=1e-2)
    wd.apply_rule(optimizer, rule, peak=2e-2)
    found = wd.probe(model, optimizer, loss_of(model))
    assert found.is_well, str(found)
    row = found["0.weight"]
    # A cautious decay leaves out what the real update fights.
    if rule == "cautious":
        assert 0.1 * row.declared < row.real < row.declared
    else:
        assert row.real == pytest.approx(row.declared, rel=1e-2)


def test_it_shows_itself() -> None:
    model = small()
    found = wd.probe(model, torch.optim.Adam(model.parameters(), weight_decay=0.1))
    assert "do not decay as declared" in repr(found)
    assert str(found).count("\n") == len(found) - 1
    assert "<table>" in found._repr_html_()
    assert found.to_dict()[0]["name"] == "0.weight"
    with pytest.raises(wd.WeightDecayError, match="no weight_decay"):
        wd.probe(model, torch.optim.LBFGS(model.parameters()))


@pytest.mark.parametrize("question", [wd.probe, wd.assert_decay, wd.decay_table])
def test_arguments_in_the_wrong_order_are_named(question: Callable[..., Any]) -> None:
    model = small()
    optimizer = torch.optim.AdamW(model.parameters())
    with pytest.raises(wd.WeightDecayError, match="give the model first, then the optimizer"):
        question(optimizer, model)
    with pytest.raises(wd.WeightDecayError, match="is no model"):
        wd.param_groups(model.parameters())


def test_norms_that_the_groups_spare_are_not_warned_of() -> None:
    model = small()
    spared = torch.optim.AdamW(wd.param_groups(model, 0.1), lr=6e-4)
    everything = torch.optim.AdamW(model.parameters(), lr=6e-4, weight_decay=0.1)

    def warned(optimizer: Any) -> bool:
        return "norm" in str(wd.explain(optimizer, steps=1000).to_dict()["warnings"])

    assert (warned(spared), warned(everything)) == (False, True)


def test_live_objects_are_explained() -> None:
    model = small()
    optimizer = torch.optim.AdamW(wd.param_groups(model, 0.1), lr=6e-4, betas=(0.9, 0.95))
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 0.01, total_iters=100),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 900, eta_min=6e-5),
        ],
        [100],
    )
    before = [dict(group) for group in optimizer.param_groups]
    state = scheduler.state_dict()
    answer = wd.explain(optimizer, scheduler=scheduler, steps=1000)
    rates = []
    for _ in range(1000):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert answer.kappa == pytest.approx(0.1 * sum(rates), rel=1e-2)
    assert before[0]["lr"] == rates[0]
    assert state["last_epoch"] == 0

    class Wrapper:
        """What trainers put around an optimizer."""

        param_groups = optimizer.param_groups

    wrapper = Wrapper()
    wrapper.optimizer = optimizer  # type: ignore[attr-defined]
    assert wd.explain(wrapper).to_dict()["name"] == "torch.AdamW"

    class Own(torch.optim.AdamW):  # type: ignore[name-defined, misc]
        """A class of a project that steps as its base does."""

    class Strange(torch.optim.AdamW):  # type: ignore[name-defined, misc]
        """One that does not."""

        def step(self, closure: Any = None) -> None:
            """Do nothing."""

    assert wd.explain(Own(model.parameters())).to_dict()["name"] == "torch.AdamW"
    with pytest.raises(wd.WeightDecayError, match="Strange"):
        wd.explain(Strange(model.parameters()))
    plain = wd.explain(torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1e-4, momentum=0.9))
    assert plain["rule"] == "coupled-l2"


def test_live_objects_are_audited() -> None:
    model = nn.Sequential()
    model.add_module("ln", nn.LayerNorm(8))
    model.add_module("fc", nn.Linear(8, 8))
    found = wd.audit(model, torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1))
    assert "S01" in {one["rule"] for one in found.findings}
    clean = wd.audit(model, torch.optim.AdamW(wd.param_groups(model, 0.1), lr=1e-3))
    assert "S01" not in {one["rule"] for one in clean.findings}


class Planted(nn.Module):  # type: ignore[name-defined, misc]
    """A tied head, a factor of an adapter, and a tensor that models treat apart."""

    def __init__(self) -> None:
        super().__init__()
        self.wte = nn.Embedding(32, 8)
        self.ln_f = nn.LayerNorm(8)
        self.fc = nn.Linear(8, 8)
        self.lm_head = nn.Linear(8, 32, bias=False)
        self.lm_head.weight = self.wte.weight
        self.lora_A = nn.Linear(8, 2, bias=False)
        self.A_log = nn.Parameter(torch.zeros(8, 4))


def test_planted_failures_are_found_on_live_objects() -> None:
    def found(model: Any, optimizer: Any) -> set[str]:
        return {one["rule"] for one in wd.audit(model, optimizer).findings}

    model = Planted()
    everything = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    assert {"S01", "S06", "S11", "S12"} <= found(model, everything)
    coupled = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=0.1)
    assert "D05" in found(model, coupled)
    assert found(model, torch.optim.AdamW(model.parameters(), weight_decay=0.0)) == set()
    model = Planted().to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    for one in model.parameters():
        one.grad = torch.ones_like(one)
    optimizer.step()
    # A decay that bf16 rounds away.
    assert {"N01", "T01"} <= found(model, optimizer)


def test_the_fixture_is_there(assert_weight_decay: Callable[..., None]) -> None:
    model = small()
    assert_weight_decay(model, torch.optim.AdamW(wd.param_groups(model, 0.1)), {"1.*": 0.0})
    with pytest.raises(AssertionError, match="AdamW"):
        assert_weight_decay(model, torch.optim.Adam(model.parameters(), weight_decay=0.1))
