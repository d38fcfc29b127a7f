"""Appearance transfer (paper, 3.6): the head by one person's flow, the clothes by another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from retarget_cli.backends.liquid_warp.inputs import Cast
from retarget_cli.backends.liquid_warp.topology import (
    LEFT_ARM,
    LEFT_FOOT,
    LEFT_HAND,
    LEFT_LEG,
    RIGHT_ARM,
    RIGHT_FOOT,
    RIGHT_HAND,
    RIGHT_LEG,
    TORSO,
    Topology,
    topology_of,
)
from retarget_cli.core.parts import Parts
from retarget_cli.core.subject import Subject, Worn

UPPER = (TORSO, LEFT_ARM, RIGHT_ARM)
LOWER = (LEFT_LEG, RIGHT_LEG, LEFT_FOOT, RIGHT_FOOT)
HANDS = (LEFT_HAND, RIGHT_HAND)


def lent_parts(parts: Parts) -> tuple[int, ...]:
    """Which of the ten parts the wearer lends; hands only where skin is to be taken over too."""
    chosen = (*(UPPER if parts.has_upper else ()), *(LOWER if parts.has_lower else ()))
    return chosen if parts.keeps_skin else (*chosen, *HANDS)


def lent_faces(mesh: Topology, parts: Parts) -> Tensor:
    """(F,) bool."""
    return torch.isin(mesh.parts, mesh.parts.new_tensor(lent_parts(parts)))


def clothed(own: Cast, worn: Worn, cast_of: Callable[[Subject], Cast]) -> list[Cast]:
    """The person, who gives up some faces, and the wearer, who lends them; the body that moves is the person's."""
    lent = lent_faces(topology_of(own.poser.body.name), worn.parts).to(own.poser.device)
    return [replace(own, lent=~lent), replace(cast_of(worn.wearer), lent=lent)]
