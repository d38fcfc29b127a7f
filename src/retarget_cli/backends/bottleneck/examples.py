"""One example as the tensors that the game takes."""

from __future__ import annotations

import torch
from torch import Tensor

from retarget_cli.backends.bottleneck.inputs import seen_behind, seen_person, square
from retarget_cli.backends.stage.pictures import seen_whole
from retarget_cli.backends.stage.poser import Poser, thetas
from retarget_cli.core.example import Example


def build_tensors(example: Example, side: int, most: int) -> dict[str, Tensor]:
    """What a step learns from, each person in the square of its own picture.

    `pictures` (N, 4, S, S) of the sources, `source_joints` (N, 24, 3), `source_bones` (N, 24, 4, 4); `target`
    (4, S, S), `target_joints` (24, 3), `target_bones` (24, 4, 4). And in the target's square: `target_full` (3, S, S),
    the whole picture; `behind` (4, S, S), the first source's picture without the person, and where the person was;
    `background` (3, S, S), what is truly behind the target's person.

    Args:
        example: sources and target of one person.
        side: S.
        most: sources that are used.
    """
    subject, target = example.subject, example.target
    views = subject.views[:most]
    poser = Poser(subject.body, subject.betas)
    cpu = torch.device("cpu")
    sources, wanted = poser.posture(thetas(views), cpu), poser.posture(target.theta[None], cpu)
    frame = square(target.camera, side)
    return {
        "pictures": torch.stack([seen_person(view, side) for view in views]),
        "source_joints": sources.joints,
        "source_bones": sources.bones,
        "target": seen_person(target, side),
        "target_joints": wanted.joints[0],
        "target_bones": wanted.bones[0],
        "target_full": seen_whole(target.image, frame),
        "behind": seen_behind(views[0], frame),
        "background": seen_whole(example.plate, frame),
    }
