"""Where in the source's volume every voxel of the target comes from: F of equation 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.bottleneck.blocks import Hourglass, Unit, chain, convolution
from retarget_cli.backends.bottleneck.design import BottleneckDesign
from retarget_cli.backends.bottleneck.sampling import lattice
from retarget_cli.backends.bottleneck.volumes import lifted
from retarget_cli.backends.stage.frame import REACH
from retarget_cli.backends.stage.limbs import LIMBS, bones, powers
from retarget_cli.backends.stage.pose_maps import deep_maps, maps
from retarget_cli.backends.stage.posture import Posture, motions

_PICTURE, _AXES = 4, 3
# How softly one limb's motion goes over into the next one's: squared metres, in units of the cube.
SOFTNESS = (0.05 / REACH) ** 2


class FlowNetwork(nn.Module):
    """A look at the picture and both poses, lifted into space, where volumes of flow are made of it.

    Driven by maps, all that comes out is how far each voxel goes. Driven by joints, the motion of every limb is known:
    the network says whose each voxel follows, beginning with the nearest limb's, and how far it goes beyond that.
    Its last layer is silent at first; so untrained the flow is the identity, or the limbs' own motion.

    Args:
        design: of the whole.
    """

    def __init__(self, design: BottleneckDesign) -> None:
        super().__init__()
        self.size = design.flow_size
        self.knows_joints = design.driven_by == "joints"
        shown = LIMBS * (2 if self.knows_joints else 1)
        hidden = design.channels
        self.hourglass = Hourglass(_PICTURE + 2 * shown, design.width, 2 * design.width)
        self.lift = Unit(2, 2 * design.width, hidden * self.size[0], 4, 2)
        limbs = LIMBS if self.knows_joints else 0
        self.head = chain(3, (hidden + limbs, 2 * hidden, 2 * hidden))
        self.last = convolution(3, 2 * hidden, _AXES + limbs)

    def forward(self, picture: Tensor, source: Posture, target: Posture) -> Tensor:
        """(B, D, H, W, 3) absolute places, fp32.

        Args:
            picture: (B, 4, S, S) of the source: the person's colours in [-1, 1], 0 outside, and mask.
            source, target: (B) postures.
        """
        with torch.autocast(picture.device.type, enabled=False):
            home = lattice(self.size, picture)
            nearness = -powers(target, home) / SOFTNESS if self.knows_joints else None
        features = self._looked(picture, source, target)
        if nearness is not None:
            features = torch.cat([features, nearness.softmax(1)], 1)
        said = self.last(self.head(features))
        with torch.autocast(picture.device.type, enabled=False):
            said = said.float()
            places = home + said[:, :_AXES].permute(0, 2, 3, 4, 1)
            if nearness is not None:
                places = places + _carried(home, (nearness + said[:, _AXES:]).softmax(1), motions(source, target))
        return places

    def _looked(self, picture: Tensor, source: Posture, target: Posture) -> Tensor:
        """(B, hidden, D, H, W): what is seen, in space."""
        side = picture.shape[-1] // 4
        drawn = deep_maps if self.knows_joints else maps
        shown = [drawn(posture, (side, side)) for posture in (source, target)]
        flat = torch.cat([functional.avg_pool2d(picture, 4), *shown], 1)
        return lifted(self.lift(self.hourglass(flat)), self.size[0])


def _carried(home: Tensor, shares: Tensor, motion: Tensor) -> Tensor:
    """(B, D, H, W, 3): how far the limbs' motions carry each voxel, mixed.

    Args:
        home: (D, H, W, 3), the voxels' own places.
        shares: (B, L, D, H, W), whose motion each follows; of sum 1.
        motion: (B, 24, 3, 4) of the bones.
    """
    # What they do beyond staying is mixed, so that where nothing moves no rounding of the shares is left.
    beyond = motion[:, bones()] - torch.eye(3, 4, device=motion.device)
    mixed = torch.einsum("bldhw,blij->bdhwij", shares, beyond)
    return (mixed[..., :3] * home[..., None, :]).sum(-1) + mixed[..., 3]
