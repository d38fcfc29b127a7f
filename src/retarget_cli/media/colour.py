"""From a decoder's pixel format to RGB: matrix, range, depth, size, all in one pass of swscale."""

import functools
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, Interpolation, VideoReformatter

from retarget_cli.media.images import Pixels
from retarget_cli.media.tonemap import HLG, PQ, ToneMap

# AVColorSpace -> swscale's matrices.
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}


def matrix_of(frame: VideoFrame) -> Colorspace:
    """The frame's YCbCr matrix; where it is not tagged, what players assume: BT.709 from HD size on."""
    known = _MATRICES.get(int(frame.colorspace))
    if known is not None:
        return known
    return Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601


def range_of(frame: VideoFrame) -> ColorRange:
    """Full or limited range; limited where it is not tagged, as video is."""
    full = frame.format.is_rgb or frame.format.name.startswith(("yuvj", "pal8"))
    return ColorRange.JPEG if full or frame.color_range == ColorRange.JPEG else ColorRange.MPEG


def is_hdr(frame: VideoFrame) -> bool:
    """Whether the frame's transfer curve is PQ or HLG."""
    return int(frame.color_trc) in (PQ, HLG)


def has_wide_gamut(frame: VideoFrame) -> bool:
    """Whether the frame's primaries are BT.2020 (untagged HDR is)."""
    return int(frame.color_primaries) in (ColorPrimaries.BT2020, ColorPrimaries.UNSPECIFIED)


@functools.cache
def limited_to_full() -> Pixels:
    """Table that stretches 16..235 to 0..255."""
    stretched: Pixels = np.rint(np.clip((np.arange(256) - 16) * (255 / 219), 0, 255)).astype(np.uint8)
    return stretched


@dataclass(slots=True)
class RgbConverter:
    """Makes upright-agnostic RGB of one size from the frames of one clip.

    Attributes:
        size: (height, width) to make.
        tone_map: how to bring HDR to SDR; None for an SDR clip.
    """

    size: tuple[int, int]
    tone_map: ToneMap | None = None
    # Kept for the clip: it holds swscale's tables, which cost more to make than one frame to convert.
    _scaler: VideoReformatter = field(default_factory=VideoReformatter)

    def rgb(self, frame: VideoFrame) -> Pixels:
        """(H, W, 3) uint8."""
        if self.tone_map is not None and is_hdr(frame):
            return self.tone_map.applied(self.deep_rgb(frame))
        rgb = np.ascontiguousarray(self._converted(frame, "rgb24"), dtype=np.uint8)
        # swscale takes gray for full range whatever it is told.
        is_narrow = frame.format.name.startswith("gray") and frame.color_range == ColorRange.MPEG
        return np.asarray(cv2.LUT(rgb, limited_to_full()), dtype=np.uint8) if is_narrow else rgb

    def deep_rgb(self, frame: VideoFrame) -> npt.NDArray[np.uint16]:
        """(H, W, 3) uint16, full range, in the clip's own transfer curve and primaries."""
        return np.ascontiguousarray(self._converted(frame, "rgb48le"), dtype=np.uint16)

    def _converted(self, frame: VideoFrame, pixel_format: str) -> npt.NDArray[np.generic]:
        height, width = self.size
        shrinks = height <= frame.height and width <= frame.width
        converted = self._scaler.reformat(
            frame,
            width=width,
            height=height,
            format=pixel_format,
            src_colorspace=matrix_of(frame),
            dst_colorspace=matrix_of(frame),
            src_color_range=range_of(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
            threads=1,
        )
        return converted.to_ndarray()
