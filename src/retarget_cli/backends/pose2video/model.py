"""The networks: poses to a film (stage I), the film refined (stage II); paper, 3.1 and 3.2."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retarget_cli.backends.pose2video.design import Design
from retarget_cli.backends.pose2video.face import Face, head_boxes
from retarget_cli.backends.stage.limbs import LIMBS
from retarget_cli.networks.residual_generator import (
    EnhancedGenerator,
    Head,
    ResidualGenerator,
    start_small,
    start_still,
)

COLOURS = 3
# Colours, and how much of the pixel the person covers.
OUTPUTS = COLOURS + 1


@dataclass(frozen=True, slots=True)
class Made:
    """What a stage makes of B frames.

    Attributes:
        colours: (B, 3, h, w) in [-1, 1], the person before green; where they are a changed frame's, hardly beyond.
        mask: (B, 1, h, w) in [0, 1], how much is the person; see `colours`.
    """

    colours: Tensor
    mask: Tensor

    @property
    def together(self) -> Tensor:
        """(B, 4, h, w), colours and mask."""
        return torch.cat([self.colours, self.mask], 1)


class Stage(nn.Module):
    """One generator of pix2pixHD's form.

    Args:
        inputs: channels of what it sees.
        design: its form.
    """

    def __init__(self, inputs: int, design: Design) -> None:
        super().__init__()
        self.generator: EnhancedGenerator | ResidualGenerator
        self.small_head: Head | None = None
        if design.is_enhanced:
            self.generator = EnhancedGenerator(inputs, OUTPUTS, design.trunk)
            self.small_head = Head(design.width, OUTPUTS)
        else:
            self.generator = ResidualGenerator(inputs, OUTPUTS, design.trunk)

    def forward(self, x: Tensor) -> Made:
        """Of (B, inputs, h, w)."""
        return _made(self.generator(x))

    def small(self, x: Tensor) -> Made:
        """By the generator for half the size alone, where there is an enhancer: of (B, inputs, h / 2, w / 2)."""
        if self.small_head is None or not isinstance(self.generator, EnhancedGenerator):
            raise ValueError("there is one size only")
        return _made(torch.tanh(self.small_head(self.generator.coarse(x))))


class Refinement(Stage):
    """Stage II: it sees 2K + 1 frames of stage I, and makes the middle one anew, or what is to be changed of it.

    Args:
        design: its form.
    """

    def __init__(self, design: Design) -> None:
        super().__init__(design.seen * COLOURS, design)
        self._row, self._is_residual = design.before, design.is_residual

    def forward(self, frames: Tensor) -> Made:
        """Of (B, (2K + 1) * 4, h, w), as `beside` puts `Made.together` side by side."""
        return self._of_middle(frames, super().forward(seen_colours(frames)))

    def small(self, frames: Tensor) -> Made:
        """See `Stage`; of (B, (2K + 1) * 4, h / 2, w / 2)."""
        return self._of_middle(frames, super().small(seen_colours(frames)))

    def start_still(self) -> None:
        """Change nothing as yet, where changes are made: frames are at first as good as those of stage I."""
        if self._is_residual:
            for head in filter(None, [self.generator.head, self.small_head]):
                start_still(head)

    def _of_middle(self, frames: Tensor, made: Made) -> Made:
        if not self._is_residual:
            return made
        # A change may be as large as colours and masks are apart at most.
        middle = frames[:, self._row * OUTPUTS :][:, :OUTPUTS]
        return Made(middle[:, :COLOURS] + 2 * made.colours, middle[:, COLOURS:] + (2 * made.mask - 1))


class Pose2Video(nn.Module):
    """Both stages.

    Args:
        design: their form.

    Attributes:
        first: (2K + 1) * L pose maps -> a frame; with `is_recursive` the frame before as well.
        second: 2K + 1 frames of the first -> a frame; None where there is one stage.
        face: what is added to a recursive frame where the head is, or None.
    """

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        self.first = Stage(design.seen * LIMBS + (COLOURS if design.is_recursive else 0), design)
        self.second = Refinement(design) if design.stages > 1 else None
        self.face = Face(LIMBS, COLOURS, design.width) if design.has_face else None
        start_small(self)
        if self.second is not None:
            self.second.start_still()
        if self.face is not None:
            start_still(self.face.generator.head)

    def faced(self, made: Made, poses: Tensor, tree: Tensor) -> Made:
        """Frames of stage I in poses (B, L, h, w) of trees (B, P, 3), with what belongs to heads where there is any."""
        if self.face is None:
            return made
        return Made(self.face(made.colours, poses, head_boxes(tree, self.design.size)), made.mask)


def seen_colours(frames: Tensor) -> Tensor:
    """(B, n * 3, h, w): of n frames that lie side by side, (B, n * 4, h, w), the colours."""
    return frames.reshape(len(frames), -1, OUTPUTS, *frames.shape[2:])[:, :, :COLOURS].flatten(1, 2)


def _made(x: Tensor) -> Made:
    return Made(x[:, :COLOURS], x[:, COLOURS:] / 2 + 0.5)
