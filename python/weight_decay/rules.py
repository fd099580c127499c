"""Decay rules that PyTorch's optimizers lack, as hooks around their own step."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from weight_decay import _native
from weight_decay._errors import WeightDecayError
from weight_decay.measures import norm

logger = logging.getLogger("weight_decay")

#: The rules that :func:`apply_rule` knows, with their equations; ``hyperball`` is none of them,
#: since it takes the place of the optimizer's own step.
RULES: dict[str, str] = {
    name: equation for name, equation in _native.rules() if name != "hyperball"
}

# Names under which a rule and what modifies it go together.
_TOGETHER: dict[str, dict[str, Any]] = {
    "cautious": {"cautious": True},
    "target-norm": {"anchor": 1.0},
    "to-initial": {"anchor": "initial"},
}

_APPLIED: weakref.WeakKeyDictionary[torch.optim.Optimizer, Rule] = weakref.WeakKeyDictionary()


def apply_rule(
    optimizer: torch.optim.Optimizer,
    rule: str = "decoupled",
    *,
    cautious: bool = False,
    anchor: str | float | Mapping[str, torch.Tensor] | None = None,
    model: torch.nn.Module | None = None,
    peak: float | None = None,
    round_stochastically: bool = True,
) -> Rule:
    """Let an optimizer decay by another rule, and leave its own step alone.

    λ stays where it is, in ``group["weight_decay"]`` of each group: schedulers, loggers and
    checkpoints see it as ever. During the step itself it is 0, and the decay is done here, before
    the update; a cautious one after it. Parameters without a gradient are passed over, as the
    optimizer passes them over.

    Args:
        optimizer: AdamW, Adam, SGD, Muon, Lion, whatever has ``weight_decay`` in its groups; fused
            and foreach too.
        rule: ``"decoupled"`` s = η_tλ; ``"independent"`` s = (η_t/η_max)λ; ``"corrected"``
            s = (η_t²/η_max)λ; ``"squared-learning-rate"`` s = η_t²λ; ``"constant"`` s = λ;
            ``"coupled-l2"`` g ← g + λw. Or ``"cautious"``, ``"target-norm"`` and ``"to-initial"``:
            ``"decoupled"`` with the argument of that name set.
        cautious: Decay only the coordinates that the update draws towards the anchor too. It holds
            a copy of the parameters during a step.
        anchor: What weights decay to, in w ← w − s(w − a). ``None``: 0. ``"initial"``: the weights
            of now, which for fine-tuning are the pretrained ones. A state dict: the weights in it.
            A number: the norm that each tensor has now, times it.
        model: Names the parameters of a state dict, where the groups have no ``param_names``.
        peak: η_max. Default: what the groups call ``max_lr`` or ``initial_lr``, as schedulers do,
            else the rate of now.
        round_stochastically: Parameters in bf16 are rounded so that the decay is kept on average.
            Rounded to nearest, a shrink below 2⁻⁹ is lost.

    Returns:
        A handle: :meth:`Rule.remove` takes the rule back, :meth:`Rule.state_dict` saves its anchor.

    Raises:
        WeightDecayError: An unknown rule, an optimizer that has one already, or an anchor that does
            not fit.

    Notes:
        A step that a ``GradScaler`` skips does not decay. With a closure the loss is evaluated
        first, as by PyTorch. Under ``torch.compile`` the hooks run outside the compiled step.

    Examples:
        >>> import torch, weight_decay as wd
        >>> layer = torch.nn.Linear(2, 2, bias=False)
        >>> before = layer.weight.detach().clone()
        >>> optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-3, weight_decay=0.01)
        >>> rule = wd.apply_rule(optimizer, "constant")
        >>> layer.weight.grad = torch.zeros(2, 2)
        >>> optimizer.step()
        >>> bool(torch.allclose(layer.weight, 0.99 * before))
        True
        >>> optimizer.param_groups[0]["weight_decay"]
        0.01
    """
    if optimizer in _APPLIED:
        raise WeightDecayError(
            f"this optimizer decays by the rule {_APPLIED[optimizer].name} already",
            "take it back with its remove()",
        )
    settings = _TOGETHER.get(rule, {})
    cautious = cautious or settings.get("cautious", False)
    if anchor is None:
        anchor = settings.get("anchor")
    name = "decoupled" if settings else rule
    if name not in RULES:
        known = ", ".join([*RULES, *_TOGETHER])
        raise WeightDecayError(f"no rule is called {rule!r}", f"the rules are {known}")
    if cautious and name == "coupled-l2":
        raise WeightDecayError(
            "a penalty in the gradient is no decay that could be cautious",
            "use decoupled or another rule",
        )
    applied = Rule(optimizer, name, cautious, peak, round_stochastically)
    applied._anchor_to(anchor, model)
    _APPLIED[optimizer] = applied
    logger.info("decay by the rule %s: %s", rule, RULES[name])
    return applied


def rule_of(optimizer: torch.optim.Optimizer) -> Rule | None:
    """Give the rule that an optimizer decays by, where :func:`apply_rule` gave it one."""
    return _APPLIED.get(optimizer)


class Rule:
    """A rule that is applied; made by :func:`apply_rule`.

    Attributes:
        name: Its name.
        equation: Its step; ``a`` is the anchor.
        cautious: Whether only coordinates decay that the update draws to the anchor too.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        name: str,
        cautious: bool,
        peak: float | None,
        round_stochastically: bool,
    ) -> None:
        self.name = name
        self.equation = RULES[name]
        self.cautious = cautious
        self._optimizer = weakref.ref(optimizer)
        self._peak = peak
        self._round_stochastically = round_stochastically
        self._anchors: dict[int, torch.Tensor] = {}
        self._norms: dict[int, torch.Tensor] = {}
        self._generators: dict[torch.device, torch.Generator] = {}
        self._rates = [float(group["lr"]) for group in optimizer.param_groups]
        self._declared: list[float] | None = None
        self._before: list[tuple[torch.Tensor, torch.Tensor, float]] = []
        self._hooks = [
            optimizer.register_step_pre_hook(self._before_step),
            optimizer.register_step_post_hook(self._after_step),
        ]

    def remove(self) -> None:
        """Take the rule back: the optimizer decays as it did before."""
        for hook in self._hooks:
            hook.remove()
        optimizer = self._optimizer()
        if optimizer is not None:
            self._restore(optimizer)
            _APPLIED.pop(optimizer, None)

    def peak(self, group: int) -> float:
        """Give η_max of a group."""
        if self._peak is not None:
            return self._peak
        values = self._groups()[group]
        first = self._rates[group] if group < len(self._rates) else float(values["lr"])
        return float(values.get("max_lr", values.get("initial_lr", first)))

    def shrinks(self) -> list[tuple[str, float]]:
        """Give what the rule makes of λ at the rate of now, a group each.

        Returns:
            ``("shrink", s)``, or ``("gradient", λ)`` for a penalty.
        """
        return [
            _native.shrink(
                self.name, float(group["weight_decay"]), float(group["lr"]), self.peak(number)
            )
            for number, group in enumerate(self._groups())
        ]

    def state_dict(self) -> dict[str, Any]:
        """Give what a resumed training needs: anchor or norms, and the state of the rounding."""
        return {
            "name": self.name,
            "anchors": [self._anchors.get(id(one)) for one in self._parameters()],
            "norms": [self._norms.get(id(one)) for one in self._parameters()],
            "rates": list(self._rates),
            "generators": {str(at): one.get_state() for at, one in self._generators.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave.

        Raises:
            WeightDecayError: It is of another rule, or of another number of parameters.
        """
        parameters = list(self._parameters())
        if state["name"] != self.name or len(state["anchors"]) != len(parameters):
            raise WeightDecayError(
                f"this is the state of the rule {state['name']} of {len(state['anchors'])} "
                f"parameters, and not of {self.name} of {len(parameters)}"
            )
        self._anchors = _by_parameter(parameters, state["anchors"])
        self._norms = _by_parameter(parameters, state["norms"])
        self._rates = list(state["rates"])
        for place, words in state["generators"].items():
            self._generator(torch.device(place)).set_state(words)

    def _groups(self) -> list[dict[str, Any]]:
        optimizer = self._optimizer()
        return [] if optimizer is None else optimizer.param_groups

    def _parameters(self) -> Iterator[torch.Tensor]:
        for group in self._groups():
            yield from group["params"]

    def _anchor_to(
        self,
        anchor: str | float | Mapping[str, torch.Tensor] | None,
        model: torch.nn.Module | None,
    ) -> None:
        """Take up what the weights decay to."""
        if anchor is None or anchor == "zero":
            return
        if anchor == "initial":
            for parameter in self._parameters():
                self._anchors[id(parameter)] = parameter.detach().clone()
        elif isinstance(anchor, int | float):
            for parameter in self._parameters():
                self._norms[id(parameter)] = float(anchor) * norm(parameter)
        elif isinstance(anchor, Mapping):
            self._anchor_to_state(anchor, model)
        else:
            raise WeightDecayError(
                f"no anchor is called {anchor!r}",
                "give None, 'initial', a state dict, or a number (times the norm of now)",
            )

    def _anchor_to_state(
        self, state: Mapping[str, torch.Tensor], model: torch.nn.Module | None
    ) -> None:
        names: dict[int, str] = {}
        for group in self._groups():
            pairs = zip(group["params"], group.get("param_names", []), strict=False)
            names.update({id(parameter): name for parameter, name in pairs})
        if model is not None:
            names = {id(parameter): name for name, parameter in model.named_parameters()}
        for parameter in self._parameters():
            name = names.get(id(parameter))
            if name is None:
                raise WeightDecayError(
                    "a parameter has no name, so that its anchor cannot be found",
                    "give the model too: apply_rule(…, anchor=state, model=model)",
                )
            if name not in state or state[name].shape != parameter.shape:
                raise WeightDecayError(
                    f"the anchor has no tensor {name} of the shape {tuple(parameter.shape)}"
                )
            found = state[name].detach().to(device=parameter.device, dtype=parameter.dtype)
            self._anchors[id(parameter)] = found.clone()

    def _before_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        # A step that raised did not give λ back.
        self._restore(optimizer)
        self._check()
        self._declared = [float(group["weight_decay"]) for group in optimizer.param_groups]
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if closure is None:
            self._decay(optimizer, self._declared)
        for group in optimizer.param_groups:
            group["weight_decay"] = 0.0
        if closure is None:
            return None
        wrapped = self._behind(closure, optimizer, self._declared)
        if "closure" in kwargs:
            return args, {**kwargs, "closure": wrapped}
        return (*args[:1], wrapped, *args[2:]), kwargs

    def _behind(
        self,
        closure: Callable[[], Any],
        optimizer: torch.optim.Optimizer,
        declared: list[float],
    ) -> Callable[[], Any]:
        """Evaluate the loss, and then decay: what an optimizer does itself."""

        def evaluated() -> Any:
            loss = closure()
            self._decay(optimizer, declared)
            return loss

        return evaluated

    def _after_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._restore(optimizer)
        if not self._before:
            return
        with torch.no_grad():
            kept = _not_skipped(optimizer)
            for parameter, before, shrink in self._before:
                distance = self._distance(parameter, before)
                against = torch.sign(before - parameter) * torch.sign(distance) < 0
                step = torch.where(against, 0.0, distance * shrink)
                self._subtract(parameter, step if kept is None else step * kept)
        self._before = []

    def _check(self) -> None:
        """Refuse parameters that came after the rule, whose anchor nobody knows."""
        known = self._anchors or self._norms
        if known and any(id(one) not in known for one in self._parameters()):
            raise WeightDecayError(
                f"a parameter joined the optimizer after the rule {self.name}, so that it has no "
                "anchor",
                "take the rule back with remove(), and apply it again when all are there",
            )

    def _restore(self, optimizer: torch.optim.Optimizer) -> None:
        if self._declared is not None:
            for group, value in zip(optimizer.param_groups, self._declared, strict=False):
                group["weight_decay"] = value
        self._declared = None

    @torch.no_grad()
    def _decay(self, optimizer: torch.optim.Optimizer, declared: list[float]) -> None:
        self._before = []
        kept = _not_skipped(optimizer)
        for number, (group, value) in enumerate(zip(optimizer.param_groups, declared, strict=True)):
            if value == 0.0:
                continue
            rate = float(group["lr"])
            kind, strength = _native.shrink(self.name, value, rate, self.peak(number))
            moved = [one for one in group["params"] if one.grad is not None]
            if kind == "gradient":
                for parameter in moved:
                    distance = self._distance(parameter, parameter)
                    parameter.grad.add_(distance.to(parameter.grad.dtype), alpha=strength)
            elif self.cautious:
                self._before += [(one, one.detach().clone(), strength) for one in moved]
            else:
                self._shrink(moved, strength, kept)

    def _shrink(
        self, parameters: list[torch.Tensor], shrink: float, kept: torch.Tensor | None
    ) -> None:
        """w ← w − s(w − a)."""
        plain = [one for one in parameters if self._is_plain(one)]
        if plain:
            if kept is None:
                torch._foreach_mul_(plain, 1.0 - shrink)  # pyright: ignore[reportPrivateImportUsage]
            else:
                for parameter in plain:
                    parameter.mul_(1.0 - shrink * kept.to(parameter.device))
        for parameter in parameters:
            if self._is_plain(parameter):
                continue
            step = self._distance(parameter, parameter) * shrink
            self._subtract(parameter, step if kept is None else step * kept.to(step.device))

    def _is_plain(self, parameter: torch.Tensor) -> bool:
        """Say whether it decays to 0, in numbers that can hold the decay."""
        is_rounded = self._round_stochastically and parameter.dtype == torch.bfloat16
        key = id(parameter)
        return not is_rounded and key not in self._anchors and key not in self._norms

    def _distance(self, parameter: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """w − a."""
        wide = weights.float() if weights.dtype in {torch.bfloat16, torch.float16} else weights
        key = id(parameter)
        if key in self._anchors:
            return wide - self._anchors[key].to(wide.dtype)
        if key in self._norms:
            length = norm(weights)
            reach = torch.where(length > 0, 1.0 - self._norms[key].to(length.device) / length, 0.0)
            return wide * reach.to(wide.dtype)
        return wide

    def _subtract(self, parameter: torch.Tensor, step: torch.Tensor) -> None:
        """Subtract a step in whatever numbers the parameter has."""
        if parameter.dtype == torch.bfloat16 and self._round_stochastically:
            exact = parameter.float() - step
            noise = torch.randint(
                0,
                1 << 16,
                exact.shape,
                dtype=torch.int32,
                device=exact.device,
                generator=self._generator(exact.device),
            )
            bits = (exact.view(torch.int32) + noise) & -65536
            parameter.copy_(bits.view(torch.float32))
        else:
            parameter.sub_(step.to(parameter.dtype))

    def _generator(self, device: torch.device) -> torch.Generator:
        """Random numbers of its own, so that those of the training stay as they are."""
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(0)
        return self._generators[device]

    def __repr__(self) -> str:
        cautious = ", cautious" if self.cautious else ""
        return f"<Rule {self.name}: {self.equation}{cautious}>"


def _not_skipped(optimizer: torch.optim.Optimizer) -> torch.Tensor | None:
    """0 in a step that a GradScaler lets a fused optimizer skip, 1 in one that it takes."""
    found = getattr(optimizer, "found_inf", None)
    return None if found is None else 1.0 - found


def _by_parameter(
    parameters: list[torch.Tensor], values: list[torch.Tensor | None]
) -> dict[int, torch.Tensor]:
    pairs = zip(parameters, values, strict=True)
    return {id(one): value.to(one.device) for one, value in pairs if value is not None}
