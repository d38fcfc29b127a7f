"""A person's picture sorted into head, top, bottom, shoes and limbs, with nothing to download.

The fitted body says roughly what is where, skin and cloth where clothes end; then every pixel goes to the class whose
place and colours suit it best, with borders that follow the picture's edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from retarget_cli.body.fields import HEAD, Fields
from retarget_cli.body.kinematics import bone_transforms, skin
from retarget_cli.body.model import Body
from retarget_cli.body.raster.numba_zbuffer import interpolate, rasterize
from retarget_cli.core.layout import Labels, Region
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, View
from retarget_cli.geometry.rotations import axis_angle_to_matrix
from retarget_cli.perception.complexion import color_distance, complexion
from retarget_cli.perception.outfit import COLOR_STEPS, COLORS, Evidence, Outfit, quantised
from retarget_cli.perception.regions import BoolArray, nearest_value
from retarget_cli.perception.trained_parsing import TrainedParser

# Larger pictures of persons are looked at in so many pixels a side; how well classes suit is enlarged again.
WORKING_SIDE = 320
# Blur of the places of classes, as shares of the person's height: near the fitted body, and where it is far off.
NEAR, FAR, FAR_SHARE = 0.012, 0.045, 0.15
# How much colours count against places.
COLOR = 0.8
ROUNDS = 2
# Blur of histograms in their steps; what a class is given of the colours of all.
SIMILAR, UNSEEN = 0.7, 0.05
# Half the window of the filter that moves borders to edges, as a share of the height; colours that it holds for equal.
WINDOW, EDGE = 0.02, 0.001
# A face is seen of a head that is turned to the viewer by more than this cosine.
SIDEWAYS = 0.1


@dataclass(frozen=True, slots=True)
class Surface:
    """What the fitted body shows of a person's pixels.

    Attributes:
        image: (H, W, 3) uint8 RGB, the part of the picture that shows the person.
        person: (H, W) its pixels; N of them.
        on_body: (N,) whether the body is seen there; the others take what is nearest.
        at: of the N pixels.
        skin: (H, W) how far each colour is from the person's skin; infinite where that is not known.
        height: of the person, pixels.
    """

    image: Image
    person: BoolArray
    on_body: BoolArray
    at: Fields
    skin: FloatArray
    height: float

    def evidence(self) -> Evidence:
        """What it says about the outfit."""
        seen = self.person.copy()
        seen[self.person] = self.on_body
        return Evidence.of(self.image, Fields.unstacked(self.at.stacked()[self.on_body]), seen, self.skin)


class Parser:
    """Sorts pictures of one person; what does not change between them is made once.

    Args:
        body: of which `betas` are a shape.
        betas: (n,).
        trained: a network that is asked instead, see `find_trained`; None: the body and colours say it.
    """

    def __init__(self, body: Body, betas: FloatArray, trained: TrainedParser | None = None) -> None:
        self._trained = trained
        self._body, self._shape = body, body.shaped(torch.from_numpy(betas))
        self._fields = Fields.of(body, self._shape).stacked()
        self._faces = np.ascontiguousarray(body.faces.numpy(), np.int32)
        rest = self._shape.vertices[:, 1]
        self._height = float(rest.max() - rest.min())

    def outfit(self, views: Sequence[View]) -> Outfit | None:
        """What the person wears in some pictures, the same in all; None where nobody is seen, or a network knows."""
        if self._trained is not None:
            return None
        found = [surface.evidence() for surface in map(self._surface, views) if surface is not None]
        return Evidence.sum(found).outfit() if found else None

    def layout(self, view: View, outfit: Outfit | None = None) -> Labels:
        """(H, W) uint8: a `Region` each.

        Args:
            view: with mask, pose and fitted body.
            outfit: what is known of it; None: as this picture has it.
        """
        if self._trained is not None:
            return self._trained.layout(view.image, view.mask)
        surface = self._surface(view)
        found = np.zeros(view.mask.shape, np.uint8)
        if surface is None:
            return found
        scores = _scores(surface, outfit or surface.evidence().outfit())
        rows, columns = _window(view.mask > 0.5)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        if scores.shape[:2] != size[::-1]:
            scores = cv2.resize(scores, size, interpolation=cv2.INTER_LINEAR)
        part = np.argmax(scores, -1) + 1
        found[rows, columns] = np.where(view.mask[rows, columns] > 0.5, part, 0)
        return found

    def _surface(self, view: View) -> Surface | None:
        solid = view.mask > 0.5
        if not solid.any():
            return None
        rows, columns = _window(solid)
        image, person = view.image[rows, columns], solid[rows, columns]
        factor = min(1.0, WORKING_SIDE / max(person.shape))
        if factor < 1:
            size = (max(1, round(person.shape[1] * factor)), max(1, round(person.shape[0] * factor)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            person = cv2.resize(person.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        corner = np.array([columns.start, rows.start], np.float32)
        scale, move = view.camera[0] * factor, (view.camera[1:] - corner) * factor
        transforms = self._transforms(view.theta)
        drawn = rasterize(self._posed(transforms, scale, move), self._faces, *person.shape)
        hit = drawn.face_index >= 0
        if not hit.any() or not person.any():
            return None
        values = interpolate(drawn, self._faces, self._fields)
        place = nearest_value(np.arange(hit.size).reshape(hit.shape), hit)
        at = Fields.unstacked(values.reshape(-1, values.shape[-1])[place[person]])
        pose = np.concatenate([(view.pose[:, :2] - corner) * factor, view.pose[:, 2:]], 1)
        # The head's forward direction; z goes away from the viewer.
        shows_face = float(-transforms[0, HEAD, 2, 2]) < -SIDEWAYS
        skin_away = _skin_away(image, person, at, pose if shows_face else None)
        return Surface(image, person, hit[person], at, skin_away, self._height * float(scale))

    def _transforms(self, theta: FloatArray) -> Tensor:
        """(1, 24, 3, 4) from rest to a pose (24, 3)."""
        rotations = axis_angle_to_matrix(torch.from_numpy(theta[None]))
        return bone_transforms(self._shape.joints[None], self._body.parents, rotations)

    def _posed(self, transforms: Tensor, scale: float, move: FloatArray) -> FloatArray:
        """(V, 3) in pixels."""
        moved = skin(self._shape.vertices[None], self._body.weights_index, self._body.weights, transforms)
        points = moved[0].numpy() * np.float32(scale)
        points[:, :2] += move
        return np.asarray(points, np.float32)


def parsed(view: View, body: Body, betas: FloatArray, outfit: Outfit | None = None) -> Labels:
    """(H, W) uint8: the `Region` of every pixel of a view; see `Parser`, which is quicker for many views."""
    return Parser(body, betas).layout(view, outfit)


def parsed_views(views: Sequence[View], parser: Parser) -> list[Labels]:
    """Layouts of views of one person in the same clothes: of a subject, or an example's sources and target."""
    outfit = parser.outfit(views)
    return [parser.layout(view, outfit) for view in views]


def _window(solid: BoolArray) -> tuple[slice, slice]:
    """Rows and columns that hold the person, and a little around them."""
    rows, columns = (np.flatnonzero(solid.any(axis)) for axis in (1, 0))
    margin = 4
    return (
        slice(max(0, int(rows[0]) - margin), min(solid.shape[0], int(rows[-1]) + 1 + margin)),
        slice(max(0, int(columns[0]) - margin), min(solid.shape[1], int(columns[-1]) + 1 + margin)),
    )


def _skin_away(image: Image, person: BoolArray, at: Fields, pose: FloatArray | None) -> FloatArray:
    """(H, W): how far each colour is from the face's; where no face is seen (no pose), from the hands'."""
    head = np.zeros_like(person)
    head[person] = at.head > 0.5
    colors = [] if pose is None else [complexion(image, pose, head).skin]
    hands = np.zeros_like(person)
    hands[person] = at.hand > 0.5
    if hands.any():
        colors.append(np.median(image[hands], axis=0).astype(np.uint8))
    known = [color for color in colors if color is not None]
    if not known:
        return np.full(person.shape, np.inf, np.float32)
    chosen = next(filter(_may_be_skin, known), known[0])
    return color_distance(image, np.broadcast_to(chosen, image.shape))


def _may_be_skin(color: Image) -> bool:
    """Whether a colour (3,) is red and yellow rather than green and blue: masks and blurred faces are not."""
    _, red, yellow = cv2.cvtColor(color.reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0].tolist()
    return red >= 128 and yellow >= 126


def _places(at: Fields, outfit: Outfit) -> NDArray[np.int64]:
    """(N,): the class of each pixel by its place on the body alone."""
    is_arm = at.arm > 0
    found = np.full(at.arm.shape, int(Region.BOTTOM))
    found[(at.down <= outfit.hem) | is_arm] = Region.TOP
    found[(at.leg > outfit.leg) & ~is_arm & (at.down > outfit.hem)] = Region.LIMBS
    found[(at.arm > outfit.sleeve) | (at.hand > 0.5)] = Region.LIMBS
    found[(at.foot > 0.55)] = Region.SHOES if outfit.is_shod else Region.LIMBS
    found[~is_arm & ((at.collar < 0) | (at.head > 0.5))] = Region.HEAD
    return found


def _scores(surface: Surface, outfit: Outfit) -> FloatArray:
    """(H, W, 5): how well each class but the background suits each pixel."""
    person, height = surface.person, surface.height
    labels = np.zeros(person.shape, np.int64)
    labels[person] = _places(surface.at, outfit)
    regions = np.stack([labels == region for region in Region if region], -1).astype(np.float32)
    near, far = (cv2.GaussianBlur(regions, (0, 0), max(0.6, share * height)) for share in (NEAR, FAR))
    scores = np.log((1 - FAR_SHARE) * near + FAR_SHARE * far + 1e-4)
    place = scores[person]
    colors, radius = quantised(surface.image)[person], max(2, round(WINDOW * height))
    for _ in range(ROUNDS):
        suits = np.exp(place + COLOR * _color_scores(colors, np.argmax(scores[person], -1)))
        shares = np.zeros_like(scores)
        shares[person] = suits / suits.sum(-1, keepdims=True)
        scores = cv2.ximgproc.guidedFilter(surface.image, shares, radius, EDGE * 255**2)
    return np.asarray(scores, np.float32)


def _color_scores(colors: NDArray[np.int64], part: NDArray[np.int64]) -> FloatArray:
    """(N, 5): log likelihood of each pixel's colour in each class, of what is in it so far."""
    counts = np.stack([np.bincount(colors[part == row], minlength=COLORS) for row in range(len(Region) - 1)])
    smooth = gaussian_filter(counts.reshape(-1, *COLOR_STEPS).astype(np.float32), (0, *[SIMILAR] * 3), mode="nearest")
    smooth = smooth.reshape(len(counts), -1)
    share = smooth / np.maximum(smooth.sum(1, keepdims=True), 1e-6)
    # A colour that a class was never seen in is not impossible there.
    return np.asarray(np.log(share + UNSEEN * share.mean(0) + 1e-5)[:, colors].T, np.float32)
