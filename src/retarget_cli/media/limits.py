"""How large a picture or a clip may be: small files can claim, or unpack into, more than any machine has.

A file beyond a limit is refused by what its header says, before memory is spent. Below the limits the largest picture
takes up to 3 GB while it is read, and a clip's largest frames a few hundred MB each.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import av
from av.video.stream import VideoStream

from retarget_cli.core.errors import InputError

MAX_PICTURE_PIXELS = 170_000_000
# OpenCV addresses no more.
MAX_PICTURE_SIDE = 32_767
# Twice the pixels of 8K: films for goggles have two pictures in one.
MAX_FILM_PIXELS = 8192 * 8192
MAX_FILM_SIDE = 16_384
# An hour at 25 frames a second, and more. Their times are read before the first frame is shown.
MAX_ANIMATION_FRAMES = 100_000
# The longest delay that a GIF can have is 655 seconds. A gap is filled where another rate is asked for.
MAX_GAP = Fraction(900)

# Demuxers that make "video" out of text, of lists of other files or of the network, or ask a device for it.
_NOT_FILMS = frozenset(
    """tty hls concat dash sdp rtsp rtp sap image2 image2pipe alias_pix brender_pix lavfi bin idf xbin adf imf realtext
    ffmetadata webm_dash_manifest alsa fbdev kmsgrab video4linux2,v4l2 x11grab oss svg_pipe""".split()  # noqa: SIM905
)
# Pictures that Pillow reads: what it refuses is damaged, or unpacks into too much.
_PICTURES = frozenset(
    "png_pipe gif gif_pipe webp_pipe jpeg_pipe bmp_pipe tiff_pipe j2k_pipe pbm_pipe pgm_pipe ppm_pipe ico".split()  # noqa: SIM905
)


def check_picture_size(path: Path, width: int, height: int) -> None:
    """Refuse a picture that is too large.

    Raises:
        InputError: it has too many pixels, or a side is too long.
    """
    if width * height > MAX_PICTURE_PIXELS or max(width, height) > MAX_PICTURE_SIDE:
        raise picture_too_large(path, f"{width}x{height}")


def picture_too_large(path: Path, size: str) -> InputError:
    """The error for a picture of that size."""
    limit = f"{MAX_PICTURE_PIXELS // 1_000_000} megapixels and {MAX_PICTURE_SIDE} pixels a side"
    return InputError(f"{path} is too large ({size}), expected at most {limit}", "scale it down first")


def check_film_size(path: Path, film: VideoStream) -> None:
    """Refuse a film whose header says that its frames are too large.

    Raises:
        InputError: they have too many pixels, or a side is too long.
    """
    if film.width * film.height > MAX_FILM_PIXELS or max(film.width, film.height) > MAX_FILM_SIDE:
        limit = f"{MAX_FILM_PIXELS // 1_000_000} megapixels and {MAX_FILM_SIDE} pixels a side"
        size = f"{film.width}x{film.height}"
        raise InputError(f"{path} has too large frames ({size}), expected at most {limit}", "scale it down first")


def check_frame_count(path: Path, count: int) -> None:
    """Refuse an animated picture of too many frames.

    Raises:
        InputError: there are more than the limit.
    """
    if count > MAX_ANIMATION_FRAMES:
        message = f"{path} has {count} frames, expected at most {MAX_ANIMATION_FRAMES} in an animated picture"
        raise InputError(message, "convert it to a video")


def check_gap(path: Path, before: Fraction, after: Fraction) -> None:
    """Refuse a clip that shows one frame for an absurd time.

    Raises:
        InputError: two frames are too far apart.
    """
    if after - before > MAX_GAP:
        message = f"{path} shows nothing new from {float(before):.2f} s to {float(after):.2f} s"
        raise InputError(f"{message}, expected at most {MAX_GAP} s", "convert it to an even frame rate")


@cache
def input_options() -> dict[str, str]:
    """How FFmpeg opens a user's file: as a film or a sound, never as a list of others, and within the limits."""
    return {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(sorted(av.formats_available - _NOT_FILMS - _PICTURES)),
        "max_pixels": str(MAX_FILM_PIXELS),
    }
