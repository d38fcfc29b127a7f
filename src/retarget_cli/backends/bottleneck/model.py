"""The flow-guided transformable bottleneck: a person as volumes that are moved and shown again.

    f = Enc_3D(Enc_2D(x_fg))                     `encode`, once a picture
    F(x_fg, p_s, p_t)                            `places`
    f' = S(f, F)                                 `moved`
    y_fg = Dec_2D(Dec_3D(f'))                    `decode`

Many pictures of one person become one set of volumes in the first one's posture (equation 2, `aggregated`), so that a
frame costs the same however many there were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.bottleneck.background import BackgroundNetwork
from retarget_cli.backends.bottleneck.blocks import convolution, initialize, silence
from retarget_cli.backends.bottleneck.decoder import Decoder2D, Decoder3D
from retarget_cli.backends.bottleneck.design import BottleneckDesign, Size
from retarget_cli.backends.bottleneck.encoder import Encoder2D, Encoder3D
from retarget_cli.backends.bottleneck.flow import FlowNetwork
from retarget_cli.backends.bottleneck.occupancy import OccupancyDecoder, mask, occupancy
from retarget_cli.backends.bottleneck.photo import CHANNELS, first_photo, moved_photo
from retarget_cli.backends.bottleneck.sampling import lattice, resized_places, rigid_places, sampled
from retarget_cli.backends.bottleneck.volumes import Volumes, averaged, dropped, lifted
from retarget_cli.backends.stage.limbs import occupancy as body_occupancy
from retarget_cli.backends.stage.posture import Posture

__all__ = ["Bottleneck", "BottleneckDesign", "Made"]

_PICTURE = 4


@dataclass(frozen=True, slots=True)
class Made:
    """What is shown of volumes.

    Attributes:
        colour: (B, 3, S, S) in [-1, 1], the person.
        confidence: (B, 1, S, S) in [0, 1], w of equation 3: where the person is.
    """

    colour: Tensor
    confidence: Tensor


class Bottleneck(nn.Module):
    """The generator: G_fg, the occupancy decoders, and G_bg.

    Args:
        design: its form.
    """

    def __init__(self, design: BottleneckDesign) -> None:
        super().__init__()
        self.design = design
        width, channels, beside = design.width, design.channels, int(design.has_body)
        depth = design.sizes[0][0]
        self.encoder = Encoder2D(_PICTURE, width, 4 * width)
        self.lift = convolution(2, 4 * width, channels * depth, 1)
        self.encoder3d = Encoder3D(channels, design.levels, beside)
        self.flow = FlowNetwork(design)
        self.decoder3d = Decoder3D(channels, design.levels, beside, has_skips=design.skips)
        shown = int(design.has_photo)
        self.decoder = Decoder2D(channels * depth, width, _PICTURE + shown, beside=CHANNELS * shown)
        self.occupancies = nn.ModuleList(
            OccupancyDecoder(channels << level, size[0]) for level, size in enumerate(design.sizes)
        )
        self.background = BackgroundNetwork(width) if design.background else None
        self._begin()

    def _begin(self) -> None:
        initialize(self)
        silence(self.flow.last)
        for decoder in self.occupancies:
            assert isinstance(decoder, OccupancyDecoder)
            decoder.begin()

    def encode(self, picture: Tensor, posture: Posture) -> Volumes:
        """The volumes of persons as they stand.

        Args:
            picture: (B, 4, S, S): colours in [-1, 1] of the person, 0 outside, and mask in [0, 1].
            posture: (B).
        """
        body = self.body(posture)
        features = lifted(self.lift(self.encoder(picture)), self.design.sizes[0][0])
        beside = None if body is None else _resized(body, self.design.sizes[0])
        photo = first_photo(picture, body) if body is not None and self.design.has_photo else None
        return Volumes(self.encoder3d(features, beside), body, photo)

    def body(self, posture: Posture) -> Tensor | None:
        """(B, 1, d, h, w) in [0, 1]: where in the cube the body is; None where the networks are not told."""
        if not self.design.has_body:
            return None
        size = self.design.body_size
        return body_occupancy(posture, lattice(size, posture.joints), softness=2 / size[0])

    def places(self, picture: Tensor, source: Posture, target: Posture) -> Tensor:
        """F of equation 1: (B, D, H, W, 3), where in the source's volumes each voxel of the target's comes from.

        Args:
            picture: (B, 4, S, S) of the source, as in `encode`.
            source, target: (B) postures.
        """
        found: Tensor = self.flow(picture, source, target)
        return found

    def moved(self, volumes: Volumes, places: Tensor, target: Posture | None = None) -> Volumes:
        """S of equation 1, at every level; without skips the coarsest alone is moved, and alone is left.

        Args:
            volumes: (B) or (1).
            places: (B, D, H, W, 3), of any resolution.
            target: (B), whose posture the places lead to; None: the body that the volumes know of is moved with them.
        """
        kept = volumes if self.design.skips else volumes.coarsest()
        levels = tuple(sampled(level, resized_places(places, _size(level))) for level in kept.levels)
        if kept.body is None:
            return Volumes(levels)
        body = None if target is None else self.body(target)
        if body is None:
            body = sampled(kept.body, resized_places(places, _size(kept.body)))
        photo = None if kept.photo is None else moved_photo(kept.photo, kept.body, body, places)
        return Volumes(levels, body, photo)

    def rotated(self, volumes: Volumes, rotation: Tensor) -> Volumes:
        """The persons (B) or (1) turned about the hips by (B, 3, 3), as the paper's 3.4 and novel views have it."""
        # At the finest size a rigid motion is resized without loss.
        return self.moved(volumes, rigid_places(rotation, self.design.sizes[0]))

    def aggregated(self, views: Sequence[tuple[Tensor, Posture]]) -> Volumes:
        """Equation 2: one set of volumes out of several pictures of a person, in the posture of the first.

        Args:
            views: picture and posture as `encode` has them; one or more.
        """
        _, canonical = views[0]
        first = self.encode(*views[0])
        found = [first if self.design.skips else first.coarsest()]
        for picture, posture in views[1:]:
            places = self.places(picture, posture, canonical)
            found.append(self.moved(self.encode(picture, posture), places, canonical))
        return averaged(found)

    def decode(self, volumes: Volumes) -> Made:
        """Dec_2D(Dec_3D(f)): (B) persons as they stand in the volumes."""
        body = volumes.body
        beside = [] if body is None else [_resized(body, size) for size in self.design.sizes]
        shown = self.decoder(dropped(self.decoder3d(volumes.levels, beside)), volumes.photo).float()
        made = composed(shown, volumes.photo)
        return Made(made[:, :3], made[:, 3:])

    def masks(self, volumes: Volumes) -> list[Tensor]:
        """Dec_occ(f_i) of equation 8: (B, 1, H_i, W_i) in [0, 1] of every level, the finest first."""
        return [mask(density) for density in self._densities(volumes.levels)]

    def occupancy(self, volumes: Volumes) -> Tensor:
        """(B, 1, D, H, W) in [0, 1]: whether somebody is there, at the finest resolution that the volumes have."""
        return occupancy(self._densities(volumes.levels)[0])

    def _densities(self, levels: Sequence[Tensor]) -> list[Tensor]:
        # Where the coarsest volume alone was moved, it is the last decoder's.
        decoders = list(self.occupancies)[-len(levels) :]
        return [decoder(level) for decoder, level in zip(decoders, levels, strict=True)]


def composed(shown: Tensor, photo: Tensor | None) -> Tensor:
    """(B, 4, S, S): colours in [-1, 1] and confidence in [0, 1], of what the decoder says.

    Args:
        shown: (B, 4, S, S) of any value, colours and confidence; with a photo (B, 5, S, S), how far to take its colour.
        photo: (B, CHANNELS, S, S), moved; or None.
    """
    colour = torch.tanh(shown[:, :3])
    if photo is not None:
        colour = torch.lerp(colour, photo[:, :3].to(colour), torch.sigmoid(shown[:, 4:]))
    return torch.cat([colour, torch.sigmoid(shown[:, 3:4])], 1)


def _resized(body: Tensor, size: Size) -> Tensor:
    if body.shape[2:] == size:
        return body
    return functional.interpolate(body, size, mode="trilinear", align_corners=False)


def _size(volume: Tensor) -> Size:
    depth, height, width = volume.shape[2:]
    return depth, height, width
