"""The bones of a toy while it is being thought up."""

from __future__ import annotations

from retarget_cli.synth.toys.rig import Bone, Drive, Place
from retarget_cli.synth.toys.toy import Mark


class Skeleton:
    """Collects bones, and the points that bear their names."""

    def __init__(self) -> None:
        self._bones: list[Bone] = []
        self._marks: list[Mark] = []

    def carrier(
        self, name: str, parent: str = "", joint: Place = (0, 0, 0), rest: Place = (0, 0, 0),
        drives: tuple[Drive, ...] = (),
    ) -> None:  # fmt: skip
        """A bone without anything to see."""
        self._bones.append(Bone(name, parent, joint, rest, drives))
