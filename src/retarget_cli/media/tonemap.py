"""High dynamic range (PQ, HLG in BT.2020) to the SDR that everything else works in."""

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from retarget_cli.media.images import Pixels

Floats = npt.NDArray[np.float32]

PQ = 16
HLG = 18

# ITU-R BT.2408: diffuse white of HDR material. Material graded for SDR and only carried in PQ has its
# white at 100 nit instead; it is known by hardly ever going above that.
_HDR_WHITE = 203.0
_SDR_WHITE = 100.0
_SDR_TOLERANCE = 1.25
_HLG_PEAK = 1000.0
_KNEE = 0.75

# ITU-R BT.2087, linear light.
_BT2020_TO_BT709 = np.array(
    [
        [1.6604910, -0.5876411, -0.0728499],
        [-0.1245505, 1.1328999, -0.0083494],
        [-0.0181508, -0.1005789, 1.1187297],
    ],
    dtype=np.float32,
)


@dataclass(frozen=True, slots=True)
class ToneMap:
    """One mapping for a whole clip, so that brightness does not flicker.

    Attributes:
        transfer: `PQ` or `HLG`.
        white: luminance in nit that becomes SDR white, or its shoulder's middle.
        rolls_off: whether there are highlights above white to be compressed.
        wide_gamut: whether primaries are BT.2020.
    """

    transfer: int
    white: float
    rolls_off: bool
    wide_gamut: bool = True

    def applied(self, codes: npt.NDArray[np.uint16]) -> Pixels:
        """Map coded R'G'B' to SDR.

        Args:
            codes: (H, W, 3) uint16, full range.

        Returns:
            (H, W, 3) uint8, gamma 2.2, BT.709 primaries.
        """
        light = linear_light(self.transfer)[codes] * np.float32(1 / self.white)
        if self.transfer == HLG:
            light *= _hlg_system_gain(light, self.white)
        if self.wide_gamut:
            light = cv2.transform(light, _BT2020_TO_BT709)
        if self.rolls_off:
            light *= _shoulder_gain(light)
        np.clip(light, 0, 1, out=light)
        shown: Pixels = np.rint(cv2.pow(light, 1 / 2.2) * np.float32(255)).astype(np.uint8)
        return shown


def tone_map_for(transfer: int, peak: float, *, wide_gamut: bool = True) -> ToneMap:
    """Choose the mapping for a clip.

    Args:
        transfer: `PQ` or `HLG`.
        peak: the brightest that the clip (or a sample of it) gets, in nit.
        wide_gamut: whether its primaries are BT.2020.
    """
    if transfer == HLG:
        return ToneMap(HLG, _HDR_WHITE, rolls_off=True, wide_gamut=wide_gamut)
    if peak <= _SDR_WHITE * _SDR_TOLERANCE:
        return ToneMap(PQ, _SDR_WHITE, rolls_off=False, wide_gamut=wide_gamut)
    white = min(peak, _HDR_WHITE)
    return ToneMap(PQ, white, rolls_off=peak > white, wide_gamut=wide_gamut)


def peak_luminance(codes: npt.NDArray[np.uint16]) -> float:
    """How bright a PQ picture gets, in nit, but for one pixel in a thousand (ringing, noise)."""
    brightest = np.percentile(codes.max(axis=-1), 99.9)
    return float(linear_light(PQ)[int(brightest)])


@functools.cache
def linear_light(transfer: int) -> Floats:
    """Table from a 16-bit code to light in nit (for HLG: the scene's, scaled to a 1000 nit screen)."""
    code = np.arange(65536, dtype=np.float64) / 65535
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        shown: Floats = (scene * _HLG_PEAK).astype(np.float32)
        return shown
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = code ** (1 / m2)
    nits: Floats = (10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)).astype(np.float32)
    return nits


def _hlg_system_gain(light: Floats, white: float) -> Floats:
    """ITU-R BT.2100 OOTF: gamma 1.2 of the luminance, on a 1000 nit screen."""
    weights = np.array([[0.2627, 0.6780, 0.0593]], dtype=np.float32) * np.float32(white / _HLG_PEAK)
    luminance: Any = cv2.transform(light, weights)
    gain: Floats = cv2.pow(np.maximum(luminance, 1e-6), 0.2).reshape(*light.shape[:2], 1)
    return gain


def _shoulder_gain(light: Floats) -> Floats:
    """What to multiply a colour with so that its largest component bends into [0, 1], hue kept."""
    brightest = np.maximum(light.max(axis=-1, keepdims=True), np.float32(1e-6))
    over = np.maximum(brightest - np.float32(_KNEE), 0)
    bent = np.minimum(brightest, _KNEE) + (1 - _KNEE) * (1 - np.exp(-over / np.float32(1 - _KNEE)))
    gain: Floats = (bent / brightest).astype(np.float32)
    return gain
