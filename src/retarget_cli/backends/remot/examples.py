"""One example as the tensors that the game takes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.remot.design import BEFORE, Size
from retarget_cli.backends.remot.inputs import Poser, head_box, layouts, seen_person
from retarget_cli.backends.remot.supervision import true_flow
from retarget_cli.backends.stage.frame import Frame
from retarget_cli.backends.stage.pictures import seen_whole
from retarget_cli.core.example import Example, Span
from retarget_cli.core.subject import View

FRAMES = BEFORE + 1
SPAN = Span(before=0, after=BEFORE, shown=FRAMES)
"""Of a clip: the target, which begins the film, and the frames that follow."""


def build_tensors(example: Example, size: Size) -> dict[str, Tensor]:
    """What a step learns from: a film of T = 3 frames, each in the frame of its own person.

    Of the source `source` (3, H, W) on black and `source_layout` (6, H, W). Of the film `pose` (T, 3, H, W), `layout`
    (T, 6, H, W), `person` (T, 3, H, W) on black, `mask` (T, 1, H, W), `picture` and `behind` (T, 3, H, W): with what is
    behind the person, and that alone; `head` (T, 4), boxes; `flow` (T - 1, 2, H, W), `believed` (T - 1, 1, H, W).
    Colours are in [-1, 1], all else in [0, 1] or pixels.

    Args:
        example: whose first source is the source; a target that is no clip's stands still.
        size: (H, W).
    """
    subject, source = example.subject, example.subject.primary
    film = _film(example)
    # A picture is sorted once, however often it comes.
    different = list({id(view): view for view in (source, *film)}.values())
    labels = dict(zip(map(id, different), layouts(different, subject.body, subject.betas), strict=True))
    own, layout, _ = seen_person(source, labels[id(source)], size)
    seen = [seen_person(view, labels[id(view)], size) for view in film]
    persons, film_layouts, masks = (torch.stack(list(part)) for part in zip(*seen, strict=True))
    poser = Poser(subject.body, subject.betas, size)
    theta = np.stack([view.theta for view in film])
    frames = [Frame.of(view.camera, size) for view in film]
    flow, believed = true_flow(persons, masks)
    return {
        "source": own,
        "source_layout": layout,
        "pose": poser.maps(theta),
        "layout": film_layouts,
        "person": persons,
        "mask": masks,
        "picture": torch.stack([seen_whole(view.image, frame) for view, frame in zip(film, frames, strict=True)]),
        "behind": torch.stack([seen_whole(example.plate, frame) for frame in frames]),
        "head": torch.tensor([head_box(points, size) for points in poser.landmarks(theta)]),
        "flow": flow,
        "believed": believed,
    }


def _film(example: Example) -> tuple[View, ...]:
    """The target and what follows it; the last one stands for what is missing."""
    following = () if example.course is None else example.course.following
    film = (example.target, *following)[:FRAMES]
    return film + (film[-1],) * (FRAMES - len(film))
