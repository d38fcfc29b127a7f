"""Released generators of pix2pixHD and of Everybody Dance Now: what form they are of, and their names and ours.

Nothing in a file tells its form but its tensors: how many channels its layers have, how many of them there are, and
whether a local enhancer is among them. Every form becomes the trunk of stage I; see `trunk` for what is taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from retarget_cli.backends.pose2video.model import COLOURS
from retarget_cli.backends.pose2video.options import (
    BLOCKS,
    CONTEXT,
    ENHANCED,
    LEVELS,
    RECURSIVE,
    STAGES,
    WIDTH,
)
from retarget_cli.backends.pose2video.trunk import HOLDS, INPUTS, MOST_INPUTS, TRUNK, generator_of
from retarget_cli.backends.words import YES
from retarget_cli.networks.multiscale_discriminator import MultiscaleDiscriminator
from retarget_cli.networks.official_names import discriminator_names, enhancer_names, global_names
from retarget_cli.networks.residual_generator import EnhancedGenerator, TrunkDesign
from retarget_cli.weights.importing import Recogniser

NAME = "pose2video"
PIX2PIXHD, DANCE, DISCRIMINATOR = "pix2pixhd", "edn", "pix2pixhd-discriminator"
PIX2PIXHD_ORIGIN = "https://github.com/NVIDIA/pix2pixHD"
PIX2PIXHD_LICENSE = "BSD-like (pix2pixHD's code; its authors name no other for the weights)"
DANCE_ORIGIN = "https://github.com/carolineec/EverybodyDanceNow"
DANCE_LICENSE = "non-commercial use only (EverybodyDanceNow's code; its authors name no other for the weights)"
# 35 labels of a street and the edges between things: what most released ones of pix2pixHD see.
_LABELS = 36
_MOST_LEVELS, _MOST_BLOCKS, _MOST_WIDTH = 6, 32, 256
# What instance normalization kept before torch 0.4, and used neither then nor later.
_UNUSED = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True, slots=True)
class Form:
    """Of a released generator.

    Attributes:
        inputs: channels of what it sees.
        trunk: the form of its global generator.
        is_enhanced: whether there is a local enhancer; the global generator is then for half the size.
    """

    inputs: int = _LABELS
    trunk: TrunkDesign = TrunkDesign()  # noqa: RUF009  # frozen
    is_enhanced: bool = False

    @property
    def words(self) -> dict[str, str]:
        """For a file: how they are called as options. Without an enhancer it is open whether stage I gets one."""
        numbers = {WIDTH: self.trunk.width, LEVELS: self.trunk.levels, BLOCKS: self.trunk.after, INPUTS: self.inputs}
        told = {name: str(number) for name, number in numbers.items()}
        return {HOLDS: TRUNK, **told, **({ENHANCED: YES} if self.is_enhanced else {})}


@dataclass(frozen=True)
class Released(Recogniser):
    """A generator of any form.

    Attributes:
        is_dance: whether it sees a drawn pose, and the frame before as it was made.
    """

    is_dance: bool = False

    def fitted(self, state: Mapping[str, Tensor]) -> Recogniser:
        """See `Recogniser`: that of the generator's own form, if it is one at all."""
        form = form_of(state)
        return self if form is None else _released(form, self.is_dance)

    def faults(self, state: Mapping[str, Tensor]) -> list[str]:
        """See `Recogniser`."""
        return super().faults(_useful(state))

    def convert(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Recogniser`."""
        return super().convert(_useful(state))


def recognisers() -> tuple[Recogniser, ...]:
    """Generators of either kind, to be imported; discriminators, to be told apart."""
    return _released(Form(), is_dance=False), _released(Form(2 * COLOURS), is_dance=True), _discriminator(_LABELS)


def form_of(state: Mapping[str, Tensor]) -> Form | None:
    """The form that names and shapes tell of; None: it is no generator of this kind, or larger than any."""
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    width, inputs = (*shapes.get("model.1.weight", ()), 0, 0)[:2]
    levels = _count(
        shapes.get(f"model.{4 + 3 * level}.weight") == (width * 2 ** (level + 1), width * 2**level, 3, 3)
        for level in range(_MOST_LEVELS)
    )
    start = 4 + 3 * levels
    blocks = _count(f"model.{start + block}.conv_block.1.weight" in shapes for block in range(_MOST_BLOCKS))
    if not (1 <= width <= _MOST_WIDTH and 1 <= inputs <= MOST_INPUTS and levels and blocks):
        return None
    is_enhanced = any(name.startswith("model1_1.") for name in shapes)
    return Form(inputs, TrunkDesign(width, levels, before=0, after=blocks), is_enhanced)


def _count(are: Iterable[bool]) -> int:
    """How many are, up to the first that is not."""
    number = 0
    for is_so in are:
        if not is_so:
            break
        number += 1
    return number


def _useful(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without statistics of normalizations that have no weights."""

    def is_useful(name: str) -> bool:
        layer, _, tensor = name.rpartition(".")
        return tensor not in _UNUSED or f"{layer}.weight" in state

    return {name: tensor for name, tensor in state.items() if is_useful(name)}


def _released(form: Form, is_dance: bool) -> Released:
    seen = 2 * COLOURS if is_dance else form.inputs
    with torch.device("meta"):
        network = generator_of(seen, form.trunk, is_enhanced=form.is_enhanced)
    names = enhancer_names(network) if isinstance(network, EnhancedGenerator) else global_names(network)
    kind = "local enhancer" if form.is_enhanced else "global generator"
    words = {**form.words, INPUTS: str(seen)}
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if is_dance:
        words |= {RECURSIVE: YES, STAGES: "1", CONTEXT: "0"}
        title = f"a {kind} of Everybody Dance Now, as the trunk of stage I"
        return Released(DANCE, title, NAME, names, shapes, words, DANCE_LICENSE, DANCE_ORIGIN, is_dance=True)
    title = f"a {kind} of pix2pixHD, as the trunk of stage I"
    return Released(PIX2PIXHD, title, NAME, names, shapes, words, PIX2PIXHD_LICENSE, PIX2PIXHD_ORIGIN)


@dataclass(frozen=True)
class _Discriminator(Recogniser):
    """Of pictures with whatever channels."""

    def fitted(self, state: Mapping[str, Tensor]) -> Recogniser:
        """See `Recogniser`."""
        first = state.get("scale0_layer0.0.weight")
        is_other = first is not None and first.dim() == 4 and 1 <= first.shape[1] - COLOURS <= MOST_INPUTS
        return _discriminator(int(first.shape[1]) - COLOURS) if first is not None and is_other else self


def _discriminator(inputs: int) -> Recogniser:
    with torch.device("meta"):
        network = MultiscaleDiscriminator(inputs + COLOURS)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    return _Discriminator(
        DISCRIMINATOR, "a discriminator of pix2pixHD", NAME, discriminator_names(network), shapes, {},
        PIX2PIXHD_LICENSE, PIX2PIXHD_ORIGIN, refusal="only generators are imported: name the file ending in _net_G.pth",
    )  # fmt: skip
