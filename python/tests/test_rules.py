"""Rules and schedules: each equals the rule of the Rust optimizer over a hundred steps."""

from __future__ import annotations

import copy
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="numpy is not installed")
torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import weight_decay as wd  # noqa: E402
from weight_decay import _native  # noqa: E402
from weight_decay.rules import RULES  # noqa: E402

STEPS = 100
PEAK = 2e-2
SHAPES = [(6, 5), (7,), (3, 4)]
LAMBDAS = [0.1, 0.0, 0.1]


def rate(step: int) -> float:
    return PEAK * min(1.0, (step + 1) / 10) * (1.0 - 0.9 * step / STEPS)


def gradients(step: int) -> list[Any]:
    generator = torch.Generator().manual_seed(1000 + step)
    return [torch.randn(shape, generator=generator) for shape in SHAPES]


def start() -> list[Any]:
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def make(kind: str, parameters: list[Any], **options: Any) -> Any:
    groups = [
        {"params": [parameters[0], parameters[2]], "weight_decay": 0.1},
        {"params": [parameters[1]], "weight_decay": 0.0},
    ]
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=PEAK, momentum=0.9, **options)
    return torch.optim.AdamW(groups, lr=PEAK, betas=(0.9, 0.95), eps=1e-8, **options)


def flat(tensors: list[Any]) -> Any:
    return np.concatenate([one.detach().numpy().ravel() for one in tensors])


def trained(kind: str, rule: str, **options: Any) -> Any:
    parameters = start()
    optimizer = make(kind, parameters, **options)
    wd.apply_rule(optimizer, rule, peak=PEAK)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        for parameter, gradient in zip(parameters, gradients(step), strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()
        assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
    return flat(parameters)


def reference(kind: str, rule: str) -> Any:
    """The same steps by the optimizer of the Rust crates."""
    together = {"cautious", "target-norm", "to-initial"}
    ours = _native.Optimizer(
        "sgd" if kind == "sgd" else "adam",
        "decoupled" if rule in together else rule,
        list(zip(SHAPES, LAMBDAS, strict=True)),
        beta1=0.9,
        beta2=0.95,
        momentum=0.9,
        cautious=rule == "cautious",
    )
    weights = flat(start()).astype(np.float32)
    if rule == "to-initial":
        ours.set_anchor(weights.copy())
    if rule == "target-norm":
        ours.set_norm_target(weights.copy(), 1.0)
    for step in range(STEPS):
        ours.step(weights, flat(gradients(step)).astype(np.float32), rate(step), PEAK)
    return weights


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
@pytest.mark.parametrize("rule", [*RULES, "cautious", "target-norm", "to-initial"])
def test_a_rule_is_the_rule_of_the_rust_optimizer(kind: str, rule: str) -> None:
    found, expected = trained(kind, rule), reference(kind, rule)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    if rule not in {"decoupled"}:
        assert np.abs(found - trained(kind, "decoupled")).max() > 1e-4


@pytest.mark.parametrize("options", [{"foreach": True}, {"fused": True}, {"foreach": False}])
def test_decoupled_is_adamw_itself(options: dict[str, bool]) -> None:
    parameters = start()
    optimizer = make("adamw", parameters, **options)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        for parameter, gradient in zip(parameters, gradients(step), strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()
    np.testing.assert_allclose(
        trained("adamw", "decoupled", **options), flat(parameters), atol=1e-6
    )


def test_muon_and_whatever_else_steps() -> None:
    weight = torch.nn.Parameter(torch.randn(4, 4))
    optimizer = torch.optim.Muon([weight], lr=1e-2, weight_decay=0.1)
    wd.apply_rule(optimizer, "constant")
    before = weight.detach().clone()
    weight.grad = torch.zeros_like(weight)
    optimizer.step()
    torch.testing.assert_close(weight.detach(), 0.9 * before)


def test_a_closure_is_evaluated_before_the_decay() -> None:
    ends = []
    for has_rule in (False, True):
        parameters = start()
        optimizer = make("adamw", parameters)
        if has_rule:
            wd.apply_rule(optimizer, "decoupled")

        def closure(parameters: list[Any] = parameters, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = sum((one**2).sum() for one in parameters)
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(5)]
        ends.append((losses, flat(parameters)))
    assert ends[0][0] == pytest.approx(ends[1][0], rel=1e-6)
    np.testing.assert_allclose(ends[0][1], ends[1][1], atol=1e-6)


def test_a_step_without_gradients_decays_nothing() -> None:
    parameters = start()
    optimizer = make("adamw", parameters)
    wd.apply_rule(optimizer, "constant")
    parameters[2].grad = torch.zeros_like(parameters[2])
    before = [one.detach().clone() for one in parameters]
    optimizer.step()
    assert torch.equal(parameters[0], before[0])
    torch.testing.assert_close(parameters[2].detach(), 0.9 * before[2])


def test_a_step_that_a_scaler_skips_decays_nothing() -> None:
    for fused in (False, True):
        parameters = start()
        optimizer = make("adamw", parameters, fused=fused)
        wd.apply_rule(optimizer, "constant")
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        loss = scaler.scale(sum((one**2).sum() for one in parameters))
        loss.backward()
        parameters[0].grad[0, 0] = float("inf")
        before = flat(parameters)
        scaler.step(optimizer)
        scaler.update()
        np.testing.assert_array_equal(flat(parameters), before)


def test_a_step_that_raises_gives_its_decay_back() -> None:
    parameters = start()
    optimizer = make("adamw", parameters)
    wd.apply_rule(optimizer, "independent", peak=PEAK)

    def fails() -> float:
        raise RuntimeError("no loss")

    with pytest.raises(RuntimeError, match="no loss"):
        optimizer.step(fails)
    for one in parameters:
        one.grad = torch.zeros_like(one)
    optimizer.step()
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]


def test_the_peak_is_what_schedulers_call_so() -> None:
    optimizer = make("adamw", start())
    rule = wd.apply_rule(optimizer, "independent")
    assert rule.peak(0) == PEAK
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.1)
    assert rule.peak(0) == PEAK
    assert rule.shrinks()[0] == ("shrink", pytest.approx(0.01))
    torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=10)
    assert rule.peak(0) == 0.5


def test_weights_return_to_a_state_dict() -> None:
    model = torch.nn.Linear(3, 3)
    pretrained = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        model.weight.add_(1.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, weight_decay=0.5)
    with pytest.raises(wd.WeightDecayError, match="model"):
        wd.apply_rule(optimizer, "constant", anchor=pretrained)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, weight_decay=0.5)
    wd.apply_rule(optimizer, "constant", anchor=pretrained, model=model)
    for _ in range(40):
        model.weight.grad = torch.zeros_like(model.weight)
        optimizer.step()
    torch.testing.assert_close(model.weight.detach(), pretrained["weight"])


def test_a_parameter_that_came_later_has_no_anchor() -> None:
    parameters = start()
    optimizer = make("adamw", parameters)
    wd.apply_rule(optimizer, "to-initial")
    late = torch.nn.Parameter(torch.ones(2))
    optimizer.add_param_group({"params": [late], "weight_decay": 0.1})
    late.grad = torch.zeros(2)
    with pytest.raises(wd.WeightDecayError, match="no anchor"):
        optimizer.step()


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_step_has_the_same_result() -> None:
    ends = []
    for is_compiled in (False, True):
        parameters = start()
        optimizer = make("adamw", parameters)
        wd.apply_rule(optimizer, "constant")
        step = torch.compile(optimizer.step) if is_compiled else optimizer.step
        for number in range(3):
            for parameter, gradient in zip(parameters, gradients(number), strict=True):
                parameter.grad = gradient.clone()
            try:
                step()
            except RuntimeError as error:
                pytest.skip(f"this PyTorch compiles nothing here: {str(error)[:80]}")
        ends.append(flat(parameters))
    np.testing.assert_allclose(ends[1], ends[0], atol=2e-6)


def test_a_decay_is_not_lost_in_bf16() -> None:
    # s = 1e-4 is far below 2⁻⁹: rounded to nearest, nothing ever happens.
    def after(stochastic: bool) -> float:
        weight = torch.nn.Parameter(torch.full((64, 64), 1.5, dtype=torch.bfloat16))
        optimizer = torch.optim.SGD([weight], lr=1e-3, weight_decay=0.1)
        wd.apply_rule(optimizer, "decoupled", round_stochastically=stochastic)
        state = torch.random.get_rng_state()
        for _ in range(1000):
            weight.grad = torch.zeros_like(weight)
            optimizer.step()
        assert torch.equal(torch.random.get_rng_state(), state)
        return weight.float().mean().item()

    assert after(False) == 1.5
    assert after(True) == pytest.approx(1.5 * (1 - 1e-4) ** 1000, rel=2e-3)


def test_a_rule_is_saved_taken_up_and_taken_back() -> None:
    parameters = start()
    optimizer = make("adamw", parameters)
    rule = wd.apply_rule(optimizer, "to-initial")
    with pytest.raises(wd.WeightDecayError, match="already"):
        wd.apply_rule(optimizer, "constant")
    saved = copy.deepcopy(rule.state_dict())
    other = start()
    with torch.no_grad():
        for one in other:
            one.add_(1.0)
    resumed = make("adamw", other)
    again = wd.apply_rule(resumed, "to-initial")
    again.load_state_dict(saved)
    torch.testing.assert_close(again._anchors[id(other[0])], parameters[0].detach())
    rule.remove()
    parameters[0].grad = torch.zeros_like(parameters[0])
    before = parameters[0].detach().clone()
    optimizer.step()
    torch.testing.assert_close(parameters[0].detach(), before * (1 - PEAK * 0.1))
    with pytest.raises(wd.WeightDecayError, match="decoupled"):
        wd.apply_rule(optimizer, "decoupeld")
    with pytest.raises(wd.WeightDecayError, match="rule"):
        wd.apply_rule(optimizer, "hyperball")


def test_schedules_of_the_decay() -> None:
    def values(schedule: Any, steps: int | None = 100) -> list[float]:
        optimizer = make("adamw", start())
        scheduler = wd.WeightDecayScheduler(optimizer, schedule, steps)
        found = [scheduler.get_last_value()[0]]
        for _ in range(100):
            optimizer.step()
            scheduler.step()
            found.append(scheduler.get_last_value()[0])
            assert scheduler.get_last_value()[1] == 0.0
        return found

    shares = np.arange(101) / 100
    cosine = 0.04 + 0.36 * 0.5 * (1 - np.cos(np.pi * shares))
    np.testing.assert_allclose(values("cosine:0.04->0.4"), cosine, atol=1e-12)
    np.testing.assert_allclose(values("linear:0.4->0.1"), 0.4 - 0.3 * shares, atol=1e-12)
    np.testing.assert_allclose(
        values("cosine,floor=0.1"),
        0.1 * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * shares))),
        atol=1e-12,
    )
    drawn = values([(0.0, 0.0), (0.5, 0.2), (1.0, 0.1, "cosine")])
    assert (drawn[0], drawn[50], drawn[100]) == (0.0, pytest.approx(0.2), pytest.approx(0.1))
    np.testing.assert_allclose(values(lambda step: 0.001 * step, None), 0.001 * np.arange(101))
    for wrong in ("cosin:1->2", "cosine:a->b", "sawtooth"):
        with pytest.raises(wd.WeightDecayError):
            values(wrong)
    with pytest.raises(wd.WeightDecayError, match="steps"):
        values("cosine", None)


def test_a_scheduler_is_saved_and_taken_up() -> None:
    optimizer = make("adamw", start())
    scheduler = wd.WeightDecayScheduler(optimizer, "linear:0.1->0.2", steps=10)
    for _ in range(3):
        scheduler.step()
    again = wd.WeightDecayScheduler(make("adamw", start()), "linear:0.1->0.2", steps=10)
    again.load_state_dict(scheduler.state_dict())
    assert again.get_last_value() == scheduler.get_last_value()
    assert again.get_last_value()[0] == pytest.approx(0.13)
