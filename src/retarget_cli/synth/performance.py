"""What a generator of motion gives."""

from __future__ import annotations

from dataclasses import dataclass

from retarget_cli.synth.mesh import Numbers
from retarget_cli.synth.pose import Angles


@dataclass(frozen=True, slots=True)
class Performance:
    """Poses (T, 22) of `pose.NAMES`, and how far the lowest foot is off the floor, (T,) in statures."""

    values: Angles
    lift: Numbers
