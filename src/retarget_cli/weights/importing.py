"""Checkpoints that others released, recognised by the names and shapes of their tensors and put under ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from retarget_cli.core.errors import UsageError, WeightsError
from retarget_cli.weights.state import differences

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Recogniser:
    """One form of checkpoint, and what becomes of it.

    Attributes:
        name: for `--as`.
        title: for people.
        backend: the method that takes the weights.
        names: the checkpoint's name of every tensor -> ours; one to one.
        shapes: by our names.
        design: options of the method that the network's form depends on.
        license: of the weights.
        origin: who released them.
        refusal: what to do instead, where such a checkpoint is known and of no use; empty where it is imported.
        use: how it is used, where it is not an option of `backend`.
    """

    name: str
    title: str
    backend: str
    names: Mapping[str, str]
    shapes: Mapping[str, Shape]
    design: Mapping[str, str]
    license: str
    origin: str
    refusal: str = ""
    use: str = ""

    def fitted(self, state: Mapping[str, Tensor]) -> Recogniser:
        """The form with a checkpoint's own counts, where such a form may have any; itself for most."""
        return self

    def recognises(self, state: Mapping[str, Tensor]) -> bool:
        """Whether a checkpoint has exactly these tensors."""
        return not self.faults(state)

    def faults(self, state: Mapping[str, Tensor]) -> list[str]:
        """In what a checkpoint differs, in words; empty where it fits."""
        return differences(state, {name: self.shapes[ours] for name, ours in self.names.items()})

    def convert(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors under our names.

        Raises:
            WeightsError: a tensor holds something else than finite floating-point numbers.
        """
        for name, tensor in state.items():
            if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
                raise WeightsError(
                    f"{self.title}: {name} holds values that are not finite floats", "get the file again"
                )
        return {ours: state[name] for name, ours in self.names.items()}


def recognise(state: Mapping[str, Tensor], known: Sequence[Recogniser], path: str, chosen: str = "") -> Recogniser:
    """What a checkpoint is.

    Args:
        known: every form that can be recognised.
        path: of the file; for messages.
        chosen: name of the form that it is to be, where several fit; empty: whichever fits.

    Raises:
        UsageError: nothing is called `chosen`, or several forms fit and none was chosen.
        WeightsError: it is nothing known, not what was chosen, or of no use.
    """
    if chosen and chosen not in {each.name for each in known}:
        raise UsageError(
            f"--as {chosen}: unknown", f"one of {', '.join(each.name for each in known if not each.refusal)}"
        )
    candidates = [each.fitted(state) for each in known if chosen in ("", each.name)]
    fitting = [each for each in candidates if each.recognises(state)]
    if not fitting:
        raise _unknown(state, candidates, path)
    if len(fitting) > 1:
        names = [each.name for each in fitting]
        raise UsageError(
            f"{path} fits {' and '.join(names)} alike: their weights have the same names and shapes",
            f"say which it is: --as {names[0]}",
        )
    if fitting[0].refusal:
        raise WeightsError(f"{path} is {fitting[0].title}", fitting[0].refusal)
    return fitting[0]


def _unknown(state: Mapping[str, Tensor], candidates: Sequence[Recogniser], path: str) -> WeightsError:
    usable = [each for each in candidates if not each.refusal]
    titles = "known are " + ", ".join(each.title for each in usable)
    if not any(name in each.names for each in candidates for name in state):
        shown = ", ".join(sorted(state)[:3])
        return WeightsError(
            f"{path} is no checkpoint that is known: none of its {len(state)} tensors ({shown}) has a known name",
            titles,
        )
    nearest = min(candidates, key=lambda each: _distance(state, each))
    differing = "; ".join(nearest.faults(state))
    return WeightsError(f"{path} is no checkpoint that is known; beside {nearest.title}: {differing}", titles)


def _distance(state: Mapping[str, Tensor], form: Recogniser) -> int:
    """How many tensors differ in name or shape."""
    same = sum(name in state and tuple(state[name].shape) == form.shapes[ours] for name, ours in form.names.items())
    return len(form.names) + len(state) - 2 * same
