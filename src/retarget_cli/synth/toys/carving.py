"""A solid toy while it is being thought up."""

from __future__ import annotations

from collections.abc import Sequence

from retarget_cli.synth.toys.block import Block
from retarget_cli.synth.toys.rig import Drive, Place
from retarget_cli.synth.toys.skeleton import Skeleton
from retarget_cli.synth.toys.solid import Model
from retarget_cli.synth.toys.toy import Mark


class Carving(Skeleton):
    """Collects parts below a stand that everything turns on.

    Args:
        tilt: how far it is looked down upon, radians.
        swing: how far clips turn it to either side as a whole, radians.
    """

    def __init__(self, tilt: float, swing: float) -> None:
        super().__init__()
        self._blocks: dict[str, Sequence[Block]] = {}
        self.carrier("stand", rest=(tilt, 0, 0), drives=(("across", "right", 0.06),))
        self.carrier("turn", "stand", drives=(("bearing", "yaw", swing), ("turn", "yaw", 0.5)))

    def part(
        self, name: str, parent: str, joint: Place, blocks: Sequence[Block], *, mark: Place = (0, 0, 0),
        rest: Place = (0, 0, 0), drives: tuple[Drive, ...] = (),
    ) -> None:  # fmt: skip
        """A bone with blocks; `mark` is the point that bears its name."""
        self.carrier(name, parent, joint, rest, drives)
        self._blocks[name] = blocks
        self._marks.append(Mark(name, name, mark))

    def model(self) -> Model:
        """All of it."""
        return Model(tuple(self._bones), dict(self._blocks), tuple(self._marks))
