"""Still pictures: any file a user may bring to upright 8-bit sRGB, and PNG out."""

import io
import logging
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, PngImagePlugin

from retarget_cli.core.errors import InputError
from retarget_cli.media.files import check_readable_file, replace_file
from retarget_cli.media.limits import check_picture_size, picture_too_large

Pixels = npt.NDArray[np.uint8]

log = logging.getLogger(__name__)

# Formats that are recognised by their first bytes. Pillow knows more, but some of those "recognise"
# films (MPEG) or anything at all (TGA), which would hide that a file is mislabelled.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "PPM", "JPEG2000", "ICO")
EXPECTED = "a picture (PNG, JPEG, WebP, AVIF, TIFF, BMP, GIF)"

# What Pillow's decoders raise on damaged data.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    KeyError,
    struct.error,
    zlib.error,
)

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One upright picture in sRGB.

    Attributes:
        rgb: (H, W, 3) uint8; colours are not multiplied with alpha.
        alpha: (H, W) float32 in [0, 1], or None where the picture is opaque.
    """

    rgb: Pixels
    alpha: npt.NDArray[np.float32] | None = None


def read_picture(path: Path) -> Picture:
    """Read a picture upright, in 8-bit sRGB.

    EXIF orientation and an embedded colour profile are applied; gray, palette, CMYK and 16-bit
    pictures are converted; of an animation, the first frame is taken.

    Raises:
        InputError: no such file, not a picture, damaged, or larger than 170 megapixels.
    """
    with opened_image(path) as image:
        seek_first_frame(image)
        return to_picture(image)


@contextmanager
def opened_image(path: Path) -> Iterator[Image.Image]:
    """A picture file open for reading; whatever goes wrong inside becomes an `InputError`."""
    check_readable_file(path, EXPECTED)
    try:
        image = _open(path)
    except Image.DecompressionBombError as error:
        raise picture_too_large(path, "more than 178 megapixels") from error
    except DAMAGE as error:
        if _has_signature(path):
            message = f"{path} is a damaged picture, or holds more than a picture may"
            raise InputError(message, "copy or export the picture again") from error
        raise InputError(f"{path} is not {EXPECTED}", "check that the file is what its name says") from error
    with image:
        check_picture_size(path, *image.size)
        try:
            yield image
        except Image.DecompressionBombError as error:
            raise picture_too_large(path, "a frame of more than 178 megapixels") from error
        except MemoryError as error:
            size = f"{image.size[0]}x{image.size[1]}"
            raise InputError(f"{path} ({size}) needs more memory than there is", "scale it down first") from error
        except DAMAGE as error:
            message = f"{path} is damaged or cut short: {error}"
            raise InputError(message, "copy or export the picture again") from error


def is_picture(path: Path) -> bool:
    """Whether the file's first bytes are those of a picture or animation, whatever its name."""
    try:
        with _open(path):
            return True
    except Image.DecompressionBombError:
        return True
    except DAMAGE:
        return _has_signature(path)


def _has_signature(path: Path) -> bool:
    """Whether it begins as a PNG, GIF or WebP does; none of these is a film, however damaged it is."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except (OSError, ValueError):
        return False
    return head.startswith((b"\x89PNG\r\n\x1a\n", b"GIF8")) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def _open(path: Path) -> Image.Image:
    Image.init()  # or Pillow knows only its five commonest formats
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(path, formats=FORMATS)


def seek_first_frame(image: Image.Image) -> None:
    """Go to the first frame of the animation proper (an APNG may hold a still in front of it)."""
    image.seek(first_frame_index(image))


def first_frame_index(image: Image.Image) -> int:
    """0, or 1 for an APNG whose default image is no part of the animation."""
    return int(bool(getattr(image, "default_image", False)) and getattr(image, "n_frames", 1) > 1)


def to_picture(image: Image.Image) -> Picture:
    """The current frame of an open image, upright and in sRGB."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is really wrong is raised
        image.load()
        orientation = _orientation(image)
    profile = image.info.get("icc_profile")
    alpha: npt.NDArray[np.float32] | None = None
    if image.has_transparency_data:
        rgba = _as_mode(image, "RGBA")
        band = _transposed(rgba.getchannel("A"), orientation)
        if band.getextrema() != (255, 255):
            alpha = np.asarray(band, dtype=np.float32)
            alpha /= np.float32(255)
        image = image.convert("L") if image.mode == "LA" else rgba.convert("RGB")
        del rgba, band  # of a large picture, hundreds of MB
    rgb = _to_srgb(_to_eight_bits(image), profile)
    return Picture(np.array(_transposed(rgb, orientation)), alpha)


def over_white(picture: Picture) -> Pixels:
    """The picture on white, for those who can't use alpha: (H, W, 3) uint8."""
    if picture.alpha is None:
        return picture.rgb
    shown: Pixels = np.empty_like(picture.rgb)
    # Row by row: it may be large.
    for row, rgb, alpha in zip(shown, picture.rgb, picture.alpha[..., None], strict=True):
        row[:] = np.rint(rgb * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return shown


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except DAMAGE as error:
        log.warning("%s: unreadable EXIF data, orientation unknown (%s)", _name(image), error)
        return 1


def _name(image: Image.Image) -> str:
    return str(getattr(image, "filename", "") or "picture")


def _transposed(image: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT.get(orientation)
    return image if method is None else image.transpose(method)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """L, RGB or CMYK, from any mode; 16-bit values are scaled, where Pillow itself would clip them."""
    if image.mode.startswith("I;"):
        return Image.fromarray(_scaled(np.asarray(image), 65535))
    if image.mode in ("I", "F"):
        values = np.asarray(image)
        return Image.fromarray(_scaled(values, _full_scale(_largest(values))))
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode in ("1", "LA", "La") else "RGB")


def _full_scale(largest: float) -> float:
    """What white is in a picture without a fixed range: 1, 8 bits or 16 bits, or its largest value."""
    return next((scale for scale in (1.0, 255.0, 65535.0) if largest <= scale), largest)


def _largest(values: npt.NDArray[Any]) -> float:
    """The largest number, row by row: a large picture is not held once more."""
    return max((float(np.nan_to_num(row.astype(np.float64)).max(initial=0)) for row in values), default=0.0)


def _scaled(values: npt.NDArray[Any], white: float) -> Pixels:
    """Bytes of values whose white is given, row by row."""
    found = np.empty(values.shape, np.uint8)
    for row, told in zip(found, values, strict=True):
        row[:] = np.rint(np.clip(np.nan_to_num(told.astype(np.float64)) / white, 0, 1) * 255)
    return found


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    """Converted, or the picture itself where it is so already: Pillow would copy it."""
    return image if image.mode == mode else image.convert(mode)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return _as_mode(image, "RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return _as_mode(image, "RGB")
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, *DAMAGE) as error:
        log.warning("%s: colour profile ignored (%s)", _name(image), error)
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")


def png_chunks(metadata: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    """Text to put into a PNG."""
    chunks = PngImagePlugin.PngInfo()
    for key, value in metadata.items():
        chunks.add_itxt(key, value)
    return chunks


def write_png(path: Path, pixels: Pixels, metadata: Mapping[str, str] | None = None) -> None:
    """Write a PNG; it appears under its name only when complete.

    Args:
        path: where to; a file there is replaced.
        pixels: (H, W, 3) or (H, W, 4) uint8.
        metadata: text chunks to put into the file.

    Raises:
        OutputError: the file can't be written.
    """
    chunks = png_chunks(metadata or {})
    image = Image.fromarray(np.ascontiguousarray(pixels))

    def save(file: io.BufferedWriter) -> None:
        image.save(file, format="PNG", pnginfo=chunks, compress_level=3)

    replace_file(path, save)
