"""A released generator as the beginning of stage I: what agrees is taken over exactly, the rest begins anew.

    taken over   all layers between the first and the last; the last one's colours; of a generator that sees the frame
                 before, too, the first layer's channels of that frame, where stage I sees it
    anew         the first layer's channels of whatever else it saw, for poses are drawn otherwise here; the mask,
                 which is the last layer's fourth channel; stage II, the face
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from retarget_cli.backends.pose2video.design import Design
from retarget_cli.backends.pose2video.model import COLOURS, Pose2Video
from retarget_cli.backends.pose2video.options import ENHANCED
from retarget_cli.backends.words import YES
from retarget_cli.networks.residual_generator import EnhancedGenerator, Head, ResidualGenerator, Trunk, TrunkDesign
from retarget_cli.weights.state import fitted

# What a file that holds nothing but a trunk says of itself, beside words of a design; and channels of what it saw.
HOLDS, TRUNK, INPUTS = "holds", "trunk", "inputs"
MOST_INPUTS = 4096
_FIRST = "encoder.stem.conv.weight"


def is_trunk(words: Mapping[str, str]) -> bool:
    """Whether a file's words tell of a released generator, and not of whole networks."""
    return words.get(HOLDS) == TRUNK


def generator_of(inputs: int, trunk: TrunkDesign, *, is_enhanced: bool) -> ResidualGenerator | EnhancedGenerator:
    """A generator of a released form; with an enhancer the trunk is that for half the size."""
    return EnhancedGenerator(inputs, COLOURS, trunk) if is_enhanced else ResidualGenerator(inputs, COLOURS, trunk)


@torch.no_grad()
def take_over(network: Pose2Video, words: Mapping[str, str], state: Mapping[str, Tensor], name: str) -> None:
    """Begin stage I with a released generator.

    Args:
        network: of as many channels, levels and blocks; with an enhancer it takes in a generator without one, too.
        words: of the file.
        state: the generator's tensors by the names of `generator_of`.
        name: of the file; for messages.

    Raises:
        WeightsError: these are not the tensors that its words tell of.
    """
    theirs = fitted(partial(_released, words, network.design), state, name)
    ours, small_head = network.first.generator, network.first.small_head
    sees_before = network.design.is_recursive and int(words[INPUTS]) == 2 * COLOURS
    if isinstance(theirs, EnhancedGenerator) and isinstance(ours, EnhancedGenerator):
        _take_trunk(ours.coarse, theirs.coarse, sees_before)
        _take_trunk(ours.fine, theirs.fine, sees_before)
        _take_head(ours.head, theirs.head)
    elif isinstance(theirs, ResidualGenerator) and isinstance(ours, ResidualGenerator):
        _take_trunk(ours.trunk, theirs.trunk, sees_before)
        _take_head(ours.head, theirs.head)
    elif isinstance(theirs, ResidualGenerator) and isinstance(ours, EnhancedGenerator) and small_head is not None:
        _take_trunk(ours.coarse, theirs.trunk, sees_before)
        _take_head(small_head, theirs.head)
    else:
        raise ValueError("a generator with an enhancer can't begin one without")


def _released(words: Mapping[str, str], design: Design) -> ResidualGenerator | EnhancedGenerator:
    text = words[INPUTS]
    if not text.isdecimal() or not 1 <= int(text) <= MOST_INPUTS:
        raise ValueError(f"{INPUTS}={text[:20]}, expected 1 to {MOST_INPUTS}")
    return generator_of(int(text), design.trunk, is_enhanced=words.get(ENHANCED) == YES)


def _take_trunk(ours: Trunk, theirs: Trunk, sees_before: bool) -> None:
    ours.load_state_dict({name: each for name, each in theirs.state_dict().items() if name != _FIRST}, strict=False)
    if sees_before:
        ours.encoder.stem.conv.weight[:, -COLOURS:] = theirs.encoder.stem.conv.weight[:, -COLOURS:]


def _take_head(ours: Head, theirs: Head) -> None:
    ours.conv.weight[:COLOURS] = theirs.conv.weight
    assert ours.conv.bias is not None
    assert theirs.conv.bias is not None
    ours.conv.bias[:COLOURS] = theirs.conv.bias
