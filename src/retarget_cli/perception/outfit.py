"""Where a person's clothes end: read off pictures, added up over several of them, the same for all.

Sleeves and trousers end at one place of a limb each, a top at one height of the trunk. What each picture says about all
possible places is added up before one of them is chosen: one picture may err, a clip seldom does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.fields import Fields
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.palette import Palette
from retarget_cli.perception.regions import BoolArray

# Places along a limb, from its first joint (0) to its last (2); and down the trunk, see `Fields.down`.
LIMB_BINS, TRUNK_BINS = 16, 28
_TRUNK_FROM, _TRUNK_TO = 0.3, 1.7
# A hem is looked for between these, and expected here: without any difference in colour that is where it is.
_HIGHEST, _LOWEST, USUAL_HEM = 0.5, 1.5, 1.0
# Nats a pixel that a hem must explain for every hem's width that it lies off its usual place, squared.
_HEM_PRIOR = 0.2
_LEAST_GAIN = 0.03
# Colours farther from cloth than this may be a sleeve's own; differences of so much count as sure.
_CLOTH_REACH, _SURE = 30.0, 15.0
# A leg of which nothing is known is covered.
_COVERED = 0.1
# Bare feet are of the calves' colours to within this, and not much farther from the face's than this.
_SAME, _SKIN_REACH = 10.0, 24.0
# Colours of a histogram: steps of lightness, red and yellow.
COLOR_STEPS = (8, 16, 16)
COLORS = 8 * 16 * 16
# Less of the feet than this looks bare in shoes.
_SHOD = 0.6


@dataclass(frozen=True, slots=True)
class Outfit:
    """What a person wears.

    Attributes:
        sleeve: how far down the arms the top reaches: 0 shoulder, 1 elbow, 2 wrist.
        leg: how far down the legs the bottom reaches: 0 hip, 1 knee, 2 ankle.
        hem: where the top ends, as `Fields.down`.
        is_shod: whether feet are in shoes.
    """

    sleeve: float
    leg: float
    hem: float
    is_shod: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What pictures say about an outfit; evidence of several pictures is added.

    Attributes:
        arms, legs: (LIMB_BINS, 2) at each place along them: how much of it rather looks bare, less how much looks
            covered, and how many pixels were seen.
        trunk: (TRUNK_BINS, COLORS) colours at each height of it.
        feet: (2,) as a row of `arms`.
    """

    arms: FloatArray
    legs: FloatArray
    trunk: FloatArray
    feet: FloatArray

    @classmethod
    def of(cls, image: Image, at: Fields, person: BoolArray, skin: FloatArray) -> Evidence:
        """Of one picture.

        Args:
            image: (H, W, 3) uint8 RGB.
            at: of the N pixels of the person.
            person: (H, W) those pixels, N of them; they show the body's surface.
            skin: (H, W) how far each colour is from the person's skin; infinite where that is not known.
        """
        is_trunk = (at.arm < 0) & (at.collar > 0.04)
        chest = is_trunk & (at.down > -0.3) & (at.down < 0.6)
        hips = is_trunk & (at.down > 0.85) & (at.leg < 0.3)
        bare = np.minimum(skin[person], 2 * _CLOTH_REACH)
        top, bottom = (_away(image, person, _covered(cloth, bare)) for cloth in (chest, hips))
        sleeves, trousers = (((cloth - bare) / _SURE).clip(-1, 1) for cloth in (top, bottom))
        is_bare = (bare < _SKIN_REACH) & (sleeves > 0) & (trousers > 0)
        is_arm, is_leg = (at.arm > 0) & (at.hand < 0.5), (at.leg > 0) & (at.foot < 0.5)
        shoes = _shoes(image, person, at, bare)
        return cls(
            _binned(at.arm[is_arm], sleeves[is_arm]),
            _binned(at.leg[is_leg], trousers[is_leg]),
            _colors_down(image, person, at, is_trunk & (at.leg < 0.8) & ~is_bare),
            shoes,
        )

    @classmethod
    def sum(cls, parts: Sequence[Evidence]) -> Evidence:
        """Of several pictures; at least one."""
        return cls(
            *(np.sum([getattr(part, name) for part in parts], axis=0) for name in ("arms", "legs", "trunk", "feet"))
        )

    def outfit(self) -> Outfit:
        """What fits best."""
        leg = _best_cut(self.legs, -_COVERED)
        bare, count = self.feet
        is_shod = leg > 1.6 or bare < _SHOD * max(count, 1.0)
        return Outfit(_best_cut(self.arms, 0.0), leg, _best_hem(self.trunk), bool(is_shod))


def _covered(region: BoolArray, bare: FloatArray) -> BoolArray:
    """(N,) the pixels of a region that do not look bare; all, where few are left: cloth in the colour of skin."""
    covered = region & (bare > _SKIN_REACH)
    return covered if covered.sum() > 0.25 * region.sum() else region


def _away(image: Image, person: BoolArray, cloth: BoolArray) -> FloatArray:
    """(N,) how far the person's pixels are from the colours of some of them."""
    region = np.zeros_like(person)
    region[person] = cloth
    return np.minimum(Palette.of(image, region, 4).away(image)[person], _CLOTH_REACH)


def _shoes(image: Image, person: BoolArray, at: Fields, bare: FloatArray) -> FloatArray:
    """(2,): how much of the feet looks like the calves and like skin, and how many of their pixels were seen."""
    is_foot = at.foot > 0.6
    calves = _away(image, person, (at.leg > 1.0) & (at.leg < 1.7))
    looks_bare = is_foot & (calves < _SAME) & (bare < _SKIN_REACH)
    return np.array([looks_bare.sum(), is_foot.sum()], np.float32)


def _binned(along: FloatArray, values: FloatArray) -> FloatArray:
    rows = (along * (LIMB_BINS / 2)).astype(np.int64).clip(0, LIMB_BINS - 1)
    sums = np.bincount(rows, values, LIMB_BINS)
    return np.stack([sums, np.bincount(rows, minlength=LIMB_BINS)], 1).astype(np.float32)


def _best_cut(seen: FloatArray, bias: float) -> float:
    """Where along a limb cloth ends: before it all should look covered, after it bare."""
    sums, counts = seen.T
    mean = np.where(counts > 0, sums / np.maximum(counts, 1), 0) + bias
    # A place that is hardly seen says little.
    mean *= np.minimum(1, counts / max(0.25 * float(counts.mean()), 1.0))
    gains = np.concatenate([[0], np.cumsum(-mean)]) + np.concatenate([np.cumsum(mean[::-1])[::-1], [0]])
    return float(np.argmax(gains)) * 2 / LIMB_BINS


def quantised(image: Image) -> NDArray[np.int64]:
    """(H, W): the number of each pixel's colour in a histogram of `COLORS`."""
    lab = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB).astype(np.int64)
    hue = ((lab[..., 1:] - 64) >> 3).clip(0, 15)
    return np.asarray((lab[..., 0] >> 5) * 256 + hue[..., 0] * 16 + hue[..., 1])


def _colors_down(image: Image, person: BoolArray, at: Fields, region: BoolArray) -> FloatArray:
    share = (at.down - _TRUNK_FROM) / (_TRUNK_TO - _TRUNK_FROM)
    inside = region & (share >= 0) & (share < 1)
    rows = (share[inside] * TRUNK_BINS).astype(np.int64)
    colors = quantised(image)[person][inside]
    counts = np.bincount(rows * COLORS + colors, minlength=TRUNK_BINS * COLORS)
    return counts.reshape(TRUNK_BINS, COLORS).astype(np.float32)


def _best_hem(trunk: FloatArray) -> float:
    """The height above and below which colours differ most, by the likelihood of two histograms against one."""
    total = float(trunk.sum())
    if total < 1:
        return USUAL_HEM
    above = np.cumsum(trunk, axis=0)[:-1]
    below = trunk.sum(0) - above
    parted = _information(above) + _information(below)
    gains = (parted - _information(trunk.sum(0)[None])) / total
    places = _TRUNK_FROM + (_TRUNK_TO - _TRUNK_FROM) * np.arange(1, TRUNK_BINS) / TRUNK_BINS
    scores = gains - _HEM_PRIOR * (places - USUAL_HEM) ** 2
    scores[(places < _HIGHEST) | (places > _LOWEST)] = -np.inf
    best = int(np.argmax(scores))
    return float(places[best]) if gains[best] > _LEAST_GAIN else USUAL_HEM


def _information(counts: FloatArray) -> FloatArray:
    """(K,): log likelihood of histograms (K, C) under themselves."""
    each = np.sum(counts * np.log(np.maximum(counts, 1)), axis=1)
    whole = counts.sum(1)
    return np.asarray(each - whole * np.log(np.maximum(whole, 1)), np.float32)
