"""Frames out of poses, each made once by each stage, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from retarget_cli.backends.pose2video.design import ASIDE, Design
from retarget_cli.backends.pose2video.model import COLOURS, Made, Pose2Video, Stage
from retarget_cli.backends.pose2video.skeleton import pose_maps
from retarget_cli.backends.pose2video.stream import beside


@dataclass(frozen=True, slots=True)
class Poses:
    """Of b consecutive frames.

    Attributes:
        tree: (b, P, 3) points.
        maps: (b, L, h, w) of them, as they are drawn.
    """

    tree: Tensor
    maps: Tensor

    @classmethod
    def of(cls, tree: Tensor, design: Design) -> Poses:
        """Drawn as the networks want them."""
        return cls(tree, pose_maps(tree, design.size, ASIDE))


def film(network: Pose2Video, poses: Iterable[Poses]) -> Iterator[Made]:
    """Every frame once, as soon as the poses are there that both stages see beside its own.

    Args:
        network: both stages.
        poses: of a stream.
    """
    design, second = network.design, network.second
    rough = _recursive(network, poses) if design.is_recursive else _by(network.first, _maps(poses), design)
    yield from rough if second is None else _by(second, (made.together for made in rough), design)


def _maps(poses: Iterable[Poses]) -> Iterator[Tensor]:
    return (part.maps for part in poses)


def _by(stage: Stage, frames: Iterable[Tensor], design: Design) -> Iterator[Made]:
    for stack in beside(frames, design.before, design.after):
        with torch.inference_mode():
            made = stage(stack)
        yield made


def _recursive(network: Pose2Video, poses: Iterable[Poses]) -> Iterator[Made]:
    """Frame after frame, each with the one before it."""
    before: Tensor | None = None
    for part in poses:
        for tree, maps in zip(part.tree.chunk(len(part.tree)), part.maps.chunk(len(part.maps)), strict=True):
            with torch.inference_mode():
                known = maps.new_zeros(1, COLOURS, *maps.shape[-2:]) if before is None else before
                made = network.faced(network.first(torch.cat([maps, known], 1)), maps, tree)
            before = made.colours
            yield made
