"""One example as the tensors that the game takes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.pose2video.design import ASIDE, Design
from retarget_cli.backends.pose2video.skeleton import points
from retarget_cli.backends.stage.frame import REACH, Frame
from retarget_cli.backends.stage.pictures import seen_person
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.core.example import Example, Span
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import View

# M: consecutive frames that the temporal opponent sees.
FRAMES = 3


def span_of(design: Design) -> Span:
    """What of a clip is needed: every stage sees neighbours of what the stage before it sees."""
    before, after = design.stages * design.before, FRAMES - 1 + design.stages * design.after
    return Span(before, after, FRAMES, design.resolution / (2 * REACH))


def build_tensors(example: Example, design: Design) -> dict[str, Tensor]:
    """What a step learns from.

    `points` (N, P, 3) of the person in N consecutive frames; `pictures` (M, 4, h, w) of M of them, from the target on:
    colours of the person in [-1, 1], 0 outside, and the mask. Where somebody else is known, `others` (N, P, 3): the
    same person in his poses.

    Args:
        example: of which the target and its course count; a target by itself is a clip in which nothing moves.
        design: of the networks.
    """
    span, course, target = span_of(design), example.course, example.target
    count = span.before + 1 + span.after
    theta = np.repeat(target.theta[None], count, 0) if course is None else course.theta
    views = (target, *(() if course is None else course.following))
    shown = [views[min(number, len(views) - 1)] for number in range(span.shown)]
    poser = Poser(example.subject.body, example.subject.betas)
    made = {"points": _tree(poser, theta), "pictures": torch.stack([_picture(view, design) for view in shown])}
    if course is not None and course.others is not None:
        made["others"] = _tree(poser, course.others)
    return made


def _picture(view: View, design: Design) -> Tensor:
    return seen_person(view, Frame.of(view.camera, design.size, ASIDE))


def _tree(poser: Poser, theta: FloatArray) -> Tensor:
    return points(poser.posture(theta, torch.device("cpu")))
