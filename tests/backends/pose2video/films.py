"""A film of a puppet of coloured limbs that waves, as examples and batches of pose2video have it."""

from __future__ import annotations

import torch
from tests.workflows.scenes import draw, subject, waving
from torch import Tensor

from retarget_cli.backends.pose2video.design import ASIDE, Design
from retarget_cli.backends.pose2video.examples import FRAMES, span_of
from retarget_cli.backends.pose2video.skeleton import points, pose_maps
from retarget_cli.backends.stage.limbs import LIMBS
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.core.example import Course, Example

CPU = torch.device("cpu")
TINY = Design(resolution=32, width=4, levels=1, blocks=1, context=1)
SIZE = (96, 64)


def trees(count: int, start: int = 0) -> Tensor:
    """(count, P, 3) of one body that waves."""
    person = subject(SIZE)
    return points(Poser(person.body, person.betas).posture(waving(24)[start : start + count], CPU))


def puppet(tree: Tensor, design: Design) -> Tensor:
    """(..., 4, h, w): every limb in a colour of its own, times mask, and the mask."""
    maps = pose_maps(tree, design.size, ASIDE)
    mask = maps.amax(-3, keepdim=True)
    paint = 0.8 * torch.sin(torch.arange(LIMBS * 3.0).view(LIMBS, 3) * 1.7)
    shown = torch.einsum("...lhw,lc->...chw", maps / maps.sum(-3, keepdim=True).clamp_min(1e-6), paint)
    return torch.cat([shown * mask, mask], -3)


def batch(design: Design = TINY, starts: tuple[int, ...] = (0, 5), *, has_others: bool = True) -> dict[str, Tensor]:
    """As many examples as there are starts; somebody else does what the person does later."""
    span = span_of(design)
    count = span.before + 1 + span.after
    films = torch.stack([trees(count, start) for start in starts])
    made = {"points": films, "pictures": puppet(films[:, span.before : span.before + FRAMES], design)}
    if has_others:
        made["others"] = torch.stack([trees(count, start + 7) for start in starts])
    return made


def example(design: Design, *, has_others: bool = False) -> Example:
    """Of drawn pictures."""
    span, person = span_of(design), subject(SIZE)
    theta = waving(24)[: span.before + 1 + span.after]
    shots = [draw(SIZE, each) for each in theta]
    views = [shot.view for shot in shots][span.before : span.before + span.shown]
    cameras = torch.stack([torch.from_numpy(shot.camera) for shot in shots]).numpy()
    others = waving(24)[-len(theta) :] if has_others else None
    return Example(person, views[0], person.plate, Course(theta, cameras, tuple(views[1:]), others))
