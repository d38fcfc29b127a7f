"""The flow network made ready for one subject: the same places as `flow`, in less time.

Picture and pose of the source are the same in every frame, so that their share of the first convolutions is found
once. Places and features are rows in the order (rows, columns, planes), see `fast_layers`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.bottleneck.blocks import Unit
from retarget_cli.backends.bottleneck.fast_layers import FastHourglass, FastUnit, Joined, everything, laid
from retarget_cli.backends.bottleneck.fast_limbs import pose_maps, powers
from retarget_cli.backends.bottleneck.fast_reading import home_of, volume_of
from retarget_cli.backends.bottleneck.flow import SOFTNESS, FlowNetwork
from retarget_cli.backends.stage import pose_maps as plain_maps
from retarget_cli.backends.stage.limbs import Segments, bones
from retarget_cli.backends.stage.posture import Posture, motions

_AXES = 3


class FastFlow:
    """A flow network and a source.

    Args:
        flow: the plain one.
        picture: (1, 4, S, S) of the source.
        source: (1) posture.
        dtype: in which its convolutions are computed; places never are rounded.
    """

    def __init__(self, flow: FlowNetwork, picture: Tensor, source: Posture, dtype: torch.dtype) -> None:
        self.size, self._source, self._knows_joints = flow.size, source, flow.knows_joints
        self._side = picture.shape[-1] // 4
        self._home, self._bones, self._dtype = home_of(self.size, picture), torch.tensor(bones()), dtype
        drawn = plain_maps.deep_maps if flow.knows_joints else plain_maps.maps
        seen = torch.cat([functional.avg_pool2d(picture, 4), drawn(source, (self._side, self._side))], 1)
        known, given = torch.arange(_inputs(flow)).tensor_split([seen.shape[1]])
        self._hourglass = FastHourglass(flow.hourglass, dtype, given, (known, seen))
        assert isinstance(flow.lift, Unit)
        self._lift = FastUnit(flow.lift, dtype, outputs=_plane_by_plane(flow.lift, self.size[0]))
        self._head = [FastUnit(unit, dtype) for unit in flow.head]
        self._last = Joined(flow.last, [everything(flow.last)], dtype)

    def __call__(self, target: Posture, limbs: Segments) -> Tensor:
        """(3, H * W * D): of one posture and its limbs, how far from home each voxel's place is."""
        shown = laid(pose_maps(limbs, (self._side, self._side), is_deep=self._knows_joints), self._dtype)
        features = self._lift(self._hourglass(shown)).permute(0, 2, 3, 1).reshape(self._home.shape[1], -1)
        nearness = None
        if self._knows_joints:
            nearness = powers(limbs, self.size).div_(-SOFTNESS)
            features = torch.cat([features, nearness.softmax(0).T.to(features.dtype)], 1)
        x = volume_of(features, self.size)
        for unit in self._head:
            x = unit(x)
        said = self._last(x)[0].flatten(1).float().contiguous()
        if nearness is None:
            return said
        return said[:_AXES] + self._carried(nearness.add_(said[_AXES:]).softmax(0), target)

    def _carried(self, shares: Tensor, target: Posture) -> Tensor:
        """(3, H * W * D): how far the limbs' motions carry each voxel, mixed by shares (L, H * W * D)."""
        beyond = motions(self._source, target)[0, self._bones] - torch.eye(3, 4)
        mixed = (beyond.flatten(1).T @ shares).view(3, 4, -1)
        return (mixed[:, :3] * self._home).sum(1).add_(mixed[:, 3])


def _inputs(flow: FlowNetwork) -> int:
    """How many channels its hourglass is given."""
    first = flow.hourglass.downs[0]
    assert isinstance(first, nn.Sequential)
    shortcut = first[0].shortcut
    assert isinstance(shortcut, nn.Conv2d)
    return shortcut.in_channels


def _plane_by_plane(lift: Unit, depth: int) -> Tensor:
    """The channels of a lifting unit in the order plane, feature instead of feature, plane."""
    assert isinstance(lift.conv, nn.Conv2d)
    return torch.arange(lift.conv.out_channels).view(-1, depth).T.flatten()
