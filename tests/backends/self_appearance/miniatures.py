"""Small networks of the family, and smooth pictures for them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.self_appearance.articulated import Articulated, ArticulatedDesign
from retarget_cli.backends.self_appearance.dense_motion import MotionDesign
from retarget_cli.backends.self_appearance.first_order import FirstOrder, FirstOrderDesign
from retarget_cli.backends.self_appearance.generator import GeneratorDesign
from retarget_cli.backends.self_appearance.keypoints import DetectorDesign

COUNT = 3


def first_order(count: int = COUNT, jacobians: int | None = None, align_corners: bool = True) -> FirstOrder:
    """Jacobians are no identities, as they would be in the beginning."""
    torch.manual_seed(0)
    maps = count if jacobians is None else jacobians
    design = FirstOrderDesign(
        DetectorDesign(count, width=4, levels=3, jacobians=maps),
        MotionDesign("first-order" if maps else "displacements", count, width=8, levels=3),
        GeneratorDesign(width=8, depth=1),
    )
    network = FirstOrder(design, align_corners).eval()
    if network.detector.jacobian is not None:
        torch.nn.init.normal_(network.detector.jacobian.weight, std=0.02)
    return network


def articulated(count: int = COUNT, align_corners: bool = False, has_avd: bool = True) -> Articulated:
    torch.manual_seed(0)
    design = ArticulatedDesign(
        DetectorDesign(count, width=4, levels=3, jacobians=0),
        MotionDesign("articulated", count, width=8, levels=3),
        GeneratorDesign(width=8, depth=1),
        has_avd=has_avd,
    )
    return Articulated(design, align_corners).eval()


def pictures(count: int, height: int = 64, width: int = 64, seed: int = 1) -> Tensor:
    stream = torch.Generator().manual_seed(seed)
    small = torch.rand(count, 3, 8, 8, generator=stream)
    return functional.interpolate(small, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)
