"""The training of the recursive form with a face: stage I learns, then it stays as it is and the face learns.

Chan et al., Everybody Dance Now, 2019: the face's generator against an opponent that sees heads alone, with the
perceptual loss of heads.
"""

from __future__ import annotations

from torch import Tensor

from retarget_cli.backends.pose2video.discriminator import FaceOpponent
from retarget_cli.backends.pose2video.examples import FRAMES
from retarget_cli.backends.pose2video.face import head_boxes
from retarget_cli.backends.pose2video.game import Pose2VideoGame
from retarget_cli.backends.pose2video.screen import before_green
from retarget_cli.backends.trainable import DISCRIMINATOR, Batch
from retarget_cli.networks.adversarial_losses import believed, told_apart


class FaceGame(Pose2VideoGame):
    """See the module, and `Pose2VideoGame`."""

    def approach(self, number: int, steps: int) -> None:
        """See `Game`: faces are learned at full size."""
        super().approach(number, steps)
        self._is_small = self._is_small and not self._stage

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        """See `Game`: of the face's generator `perceptual` and `face`, of its opponent `face`."""
        if not self._stage:
            return super().losses(player, batch, kept)
        opponent = self._face_opponent()
        if player == DISCRIMINATOR:
            assert opponent is not None
            judged = (opponent.of_faces(kept["given"], kept[name]) for name in ("true", "made"))
            return {"face": self.adversarial * told_apart(*judged)}
        found = self.faces(batch)
        kept |= {name: each.detach() for name, each in found.items()}
        made, true = found["made"], found["true"]
        terms = {"perceptual": self.weights.perceptual * self._likeness(made, self._likeness.features(true))}
        if opponent is not None:
            terms["face"] = self.adversarial * believed(opponent.of_faces(found["given"], made))
        return terms

    def faces(self, batch: Batch) -> dict[str, Tensor]:
        """Heads of B * M frames, `made` and `true` (B * M, 3, h, w), and `given`, their pose maps (B * M, L, h, w)."""
        trees = batch["points"][:, :FRAMES]
        maps = self._drawn(trees, self._disturbance(trees))
        boxes = head_boxes(trees.flatten(0, 1), self.network.design.size)
        pictures = {
            "made": self._first(maps, trees, is_small=False).colours,
            "true": before_green(batch["pictures"].flatten(0, 1)),
            "given": maps.flatten(0, 1),
        }
        return {name: boxes.cut(each) for name, each in pictures.items()}

    def _face_opponent(self) -> FaceOpponent | None:
        found = None if self.opponents is None else self.opponents[-1]
        assert found is None or isinstance(found, FaceOpponent)
        return found
