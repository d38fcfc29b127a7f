"""Which pixels of a photo are the head, which are worn above the waist, and which below."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from retarget_cli.backends.avatar.hands import projected
from retarget_cli.backends.avatar.parts import WRISTS, Part
from retarget_cli.backends.avatar.texture import continued
from retarget_cli.backends.avatar.viewed import Viewed
from retarget_cli.body.raster.numba_zbuffer import interpolate, rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.complexion import EYES, MOUTH
from retarget_cli.perception.palette import Palette
from retarget_cli.perception.regions import BoolArray, closed, grown, nearest_value, opened, without_holes

ARMS, LEGS = (Part.LEFT_ARM, Part.RIGHT_ARM), (Part.LEFT_LEG, Part.RIGHT_LEG)
# Bones of which it is certain that a top hangs on them, and of which a pair of trousers or a shoe does.
CHEST, SHINS = [6, 9, 12, 13, 14], [4, 5, 7, 8, 10, 11]
# In between a hem may be anywhere; without any edge in the picture it is where the hips begin.
BELLY = [3]
HANDS, NECK, CALVES, FEET = [20, 21, 22, 23], [12], [4, 5], [7, 8, 10, 11]
# The seam between two garments is looked for in a picture of this height of person, pixels.
SEARCHED = 220
ROUNDS = 4
# A hand is looked for so far beside where the body says that it is, as a share of the height; with less skin than this
# share of it, it is in a glove.
WRIST, GLOVE = 0.014, 0.12
# Side of the smallest piece of a garment, as a share of the height.
PIECE = 0.09
# How far hair throws its shadow on clothes, as a share of the height.
SHADOW = 0.012
# Hair is nearer to the hair's colours than this share of its distance from the clothes', and no farther than this.
SURE, HAIR_REACH, CLOTH_REACH = 0.85, 30.0, 14.0
# Skin in the sun or in shade, against the face's; a calf with this share of it is bare.
SKIN_TOLERANCE, BARE = 1.9, 0.35


@dataclass(frozen=True, slots=True)
class Clothing:
    """Pixels of one view sorted by what covers them; no pixel is in two of `head`, `upper`, `lower`.

    Attributes:
        head: (H, W) the head, and all hair wherever it falls; no collar, no hood that lies on the back.
        upper: (H, W) trunk and arms, bare skin included.
        lower: (H, W) legs and feet, bare skin included.
        skin: (H, W) bare skin of `upper` and `lower`.
        hands: (H, W) what of `upper` is a hand.
    """

    head: BoolArray
    upper: BoolArray
    lower: BoolArray
    skin: BoolArray
    hands: BoolArray

    @classmethod
    def of(cls, viewed: Viewed) -> Clothing:
        """Look at a view."""
        person = viewed.parts.labels >= 0
        colors = Colors.of(viewed)
        head = ((viewed.head & ~colors.collar(viewed)) | colors.fallen_hair(viewed)) & person
        rest = person & ~head
        legs = bare_legs(viewed, rest & np.isin(viewed.parts.labels, LEGS))
        is_lower = below_the_hem(viewed, rest, legs) | legs
        upper, lower = rest & ~is_lower, rest & is_lower
        skin = colors.skin_above(viewed, upper) | legs
        return cls(head, upper, lower, skin, upper & seen_hands(viewed, skin))

    def cropped(self, rows: int) -> Clothing:
        """The first rows alone."""
        return Clothing(*(getattr(self, field.name)[:rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Colors:
    """How far each pixel (H, W) is from the colours of the top and of the hair; infinite where there are none."""

    top: FloatArray
    hair: FloatArray

    @classmethod
    def of(cls, viewed: Viewed) -> Colors:
        """Learn both from where they can't be mistaken."""
        image, look = viewed.view.image, viewed.look
        chest = projected(viewed.body, CHEST) & (viewed.parts.labels == Part.TRUNK) & ~viewed.head
        chest &= ~look.is_hair(image)
        covered = chest & ~look.is_skin(image, SKIN_TOLERANCE)
        # A top in the colour of skin is told from it by what little difference there is.
        chest = covered if covered.sum() > 0.3 * chest.sum() else chest & ~look.is_skin(image, 0.8)
        hair = viewed.head & ~look.face & (below_mouth(viewed) < 0) & ~look.is_skin(image)
        if look.hair is None:
            hair = np.zeros_like(hair)
        return cls(Palette.of(image, chest, 6).away(image), Palette.of(image, hair, 4).away(image))

    def is_hair(self) -> BoolArray:
        """(H, W): rather hair than cloth."""
        return np.asarray((self.hair < SURE * self.top) & (self.hair < HAIR_REACH))

    def collar(self, viewed: Viewed) -> BoolArray:
        """(H, W): pixels about the head, below the mouth, that are rather cloth than skin or hair."""
        look, image = viewed.look, viewed.view.image
        if look.skin is None:
            return np.zeros_like(viewed.head)
        cloth = viewed.head & (below_mouth(viewed) > 0) & ~look.face & ~look.is_skin(image, 1.3)
        return opened(cloth & (self.top < SURE * self.hair), max(1.0, 0.003 * viewed.body.height))

    def fallen_hair(self, viewed: Viewed) -> BoolArray:
        """(H, W): hair below the head that hangs together with the hair on it."""
        trunk = viewed.parts.labels == Part.TRUNK
        around = (trunk | np.isin(viewed.parts.labels, ARMS)) & ~viewed.head
        hair = self.is_hair() & ~viewed.look.is_skin(viewed.view.image, 0.8)
        soft = opened(hair & (around | viewed.head), 1.0)
        fallen = touching(soft, viewed.head & soft) & around
        # Dark clothes have the colour of dark hair: hair hangs down over at most the half of them.
        if fallen.sum() > 0.5 * trunk.sum():
            return np.zeros_like(hair)
        return closed(fallen, 0.006 * viewed.body.height) & around

    def skin_above(self, viewed: Viewed, upper: BoolArray) -> BoolArray:
        """(H, W): bare skin of trunk and arms: what hangs together with the neck or a hand; tops have any colour."""
        look, image = viewed.look, viewed.view.image
        tolerant = look.is_skin(image, SKIN_TOLERANCE) & (look_away(look.skin, image) < self.top)
        found = opened(tolerant & upper, 1.0)
        found = touching(found, projected(viewed.body, HANDS + NECK) & found)
        return without_holes(closed(found, 0.004 * viewed.body.height), 0.02 * viewed.body.height) & upper


def look_away(color: Image | None, image: Image) -> FloatArray:
    """(H, W): distance from one colour, as `Palette.away`."""
    if color is None:
        return np.full(image.shape[:2], np.inf, np.float32)
    patch = np.broadcast_to(color, (3, 3, 3)).astype(np.uint8)
    return Palette.of(np.ascontiguousarray(np.tile(patch, (2, 2, 1))), np.ones((6, 6), bool), 1).away(image)


def below_mouth(viewed: Viewed) -> FloatArray:
    """(H, W): pixels below the mouth, along the face; negative above."""
    pose = viewed.view.pose
    eyes, mouth = pose[list(EYES), :2].mean(0), pose[list(MOUTH), :2].mean(0)
    down = (mouth - eyes) / max(float(np.linalg.norm(mouth - eyes)), 1e-6)
    y, x = np.indices(viewed.head.shape)
    return np.asarray((x - mouth[0]) * down[0] + (y - mouth[1]) * down[1], np.float32)


def touching(region: BoolArray, seeds: BoolArray) -> BoolArray:
    """(H, W): the connected pieces of a region that hold a seed."""
    count, labels = cv2.connectedComponents(region.astype(np.uint8), connectivity=8)
    if count <= 1:
        return np.zeros_like(region)
    return np.asarray(np.isin(labels, np.setdiff1d(labels[seeds & region], [0])))


def large(region: BoolArray, side: float) -> BoolArray:
    """(H, W): the connected pieces of a region that are larger than `side` squared."""
    _, labels, facts, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    kept = np.flatnonzero(facts[:, cv2.CC_STAT_AREA] > side * side)
    return np.asarray(np.isin(labels, kept[kept > 0]))


def seen_hands(viewed: Viewed, skin: BoolArray) -> BoolArray:
    """(H, W): hands that are not in a pocket or behind the back: the skin about them, or a whole glove."""
    seen = np.zeros_like(skin)
    for part, hand in viewed.hands.items():
        if hand.invented.any():
            continue
        arm = viewed.parts.labels == part
        zone = projected(viewed.body, list(WRISTS[part])) & arm
        near = skin | viewed.look.is_skin(viewed.view.image, SKIN_TOLERANCE)
        bare = grown(zone, WRIST * viewed.body.height) & arm & closed(near & arm, WRIST / 3 * viewed.body.height)
        seen |= bare if (bare & zone).sum() > GLOVE * zone.sum() else zone
    return seen


def below_the_hem(viewed: Viewed, worn: BoolArray, legs: BoolArray) -> BoolArray:
    """(H, W): pixels of `worn` below the hem of the top, by the colours of either side and the edge between them.

    Args:
        worn: the person without the head.
        legs: bare skin of the legs, which says nothing about what is worn above it.
    """
    body, labels = viewed.body, viewed.parts.labels
    drawn = rasterize(body.vertices, body.faces, *body.size)
    hit = drawn.face_index >= 0
    shares = interpolate(
        drawn, body.faces, np.stack([body.weights[:, bones].sum(1) for bones in (CHEST, SHINS, BELLY)], 1)
    )
    chest, shins, belly = (nearest_value(shares[..., i], hit) for i in range(3))
    is_arm, is_leg = np.isin(labels, ARMS), np.isin(labels, LEGS)
    # Arms hang where they like and say nothing about colours at the waist.
    cloth = worn & ~is_arm & ~legs
    sure_upper = cloth & (chest > 0.5) & ~is_leg
    sure_lower = cloth & is_leg & (lowest(cloth & is_leg & (shins <= 0.3)) if legs.any() else shins > 0.3)
    guess = cloth & (belly < 0.5) & (chest < 0.5)
    if not sure_upper.any() or not sure_lower.any():
        return (guess | legs) & ~sure_upper
    trimap = np.where(guess, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[sure_upper], trimap[sure_lower] = cv2.GC_BGD, cv2.GC_FGD
    found = _cut(continued(viewed.view.image, cloth), nearest_value(trimap, cloth), body.height)
    lower = cloth & (found | sure_lower) & ~sure_upper
    # Strips along an arm, a pocket or a print belong to what is around them.
    lower = large(opened(lower, 0.008 * body.height), PIECE * body.height) | sure_lower
    upper = large(opened(cloth & ~lower, 0.008 * body.height), PIECE * body.height) | sure_upper
    below = nearest_value(np.where(lower, 1, 0).astype(np.uint8), lower | upper) > 0
    return worn & ~is_arm & (below | ((shins > 0.3) & is_leg))


def lowest(region: BoolArray) -> BoolArray:
    """(H, W): the lower part of a region, which no hem reaches."""
    rows = np.nonzero(region)[0]
    if not len(rows):
        return region
    return region & (np.indices(region.shape)[0] > np.percentile(rows, 40))


def _cut(image: Image, trimap: Image, height: float) -> BoolArray:
    factor = min(1.0, SEARCHED / max(height, 1.0))
    rows, columns = trimap.shape
    size = (max(8, round(columns * factor)), max(8, round(rows * factor)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    seeds = cv2.resize(trimap, size, interpolation=cv2.INTER_NEAREST)
    cv2.setRNGSeed(1)
    cv2.grabCut(small, seeds, None, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    lower = np.isin(seeds, [cv2.GC_FGD, cv2.GC_PR_FGD]).astype(np.float32)
    smooth = cv2.resize(cv2.GaussianBlur(lower, (0, 0), 1.0), (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth > 0.5)


def bare_legs(viewed: Viewed, lower: BoolArray) -> BoolArray:
    """(H, W): skin of the legs, where the calves show that they are bare."""
    image, look, height = viewed.view.image, viewed.look, viewed.body.height
    calves = projected(viewed.body, CALVES) & lower
    if look.skin is None or (look.is_skin(image) & calves).sum() < BARE * max(1, calves.sum()):
        return np.zeros_like(lower)
    shod = projected(viewed.body, FEET) & ~look.is_skin(image, 0.8)
    found = opened(look.is_skin(image, SKIN_TOLERANCE) & lower & ~grown(shod, WRIST * height), 1.0)
    found = touching(found, calves & found)
    return without_holes(closed(found, 0.006 * height), 0.03 * height) & lower


def without_hair(viewed: Viewed, clothing: Clothing) -> Viewed:
    """The view with the clothes that hair hides continued under it, and under its shadow."""
    height = viewed.body.height
    locks = clothing.head & ((below_mouth(viewed) > 0) | ~viewed.head) & ~viewed.look.face
    locks &= ~viewed.look.is_skin(viewed.view.image)
    unknown = grown(locks, SHADOW * height) & ~viewed.head & ~clothing.skin
    # Strips between hair and background show both: what is carried on must be wide and of the garment's colours.
    cloth = (clothing.upper | clothing.lower) & ~clothing.skin & ~unknown & (Colors.of(viewed).top < CLOTH_REACH)
    known = opened(cloth, SHADOW * height)
    if not (clothing.head & ~viewed.head).any() or not known.any():
        return viewed
    image = np.where(unknown[..., None], continued(viewed.view.image, known), viewed.view.image)
    return replace(viewed, view=replace(viewed.view, image=image.astype(np.uint8)))
