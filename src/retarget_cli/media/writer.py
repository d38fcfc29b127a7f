"""Write frames to a video, an animation or a folder, whichever the output's name says."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

from retarget_cli.core.errors import UsageError
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.codecs import FILM_KINDS
from retarget_cli.media.folder_writer import FolderWriter
from retarget_cli.media.gif_writer import GifWriter
from retarget_cli.media.kinds import names_frames
from retarget_cli.media.picture_writer import PICTURE_KINDS, PictureWriter, names_picture
from retarget_cli.media.sink import Order, Writer
from retarget_cli.media.video_writer import VideoWriter
from retarget_cli.media.webp_writer import WebpWriter

__all__ = ["SYNTHETIC", "Writer", "can_hold_alpha", "names_picture", "open_writer", "writer_of"]

SYNTHETIC = "Synthetic video made by retarget: the person shown did not make these movements."


def open_writer(
    path: Path,
    *,
    size: tuple[int, int],
    rate: Fraction,
    time_base: Fraction | None = None,
    alpha: bool = False,
    codec: str | None = None,
    crf: int | None = None,
    preset: str | None = None,
    audio: AudioTrack | None = None,
    metadata: Mapping[str, str] | None = None,
    overwrite: bool = False,
    loop: int = 0,
) -> Writer:
    """Open an output; nothing appears under its name before it is complete.

    The name says what it becomes: .mp4 .m4v .mov .mkv .webm are films; .gif and .webp animations; .png, .jpg
    and .jpeg one picture, of a single frame; a name without ending a folder of PNGs (000000.png, ...), as is
    out/frame_%04d.png, with that pattern.

    Sizes: films but FFV1 need even sides; an odd side gets one more pixel, a copy of its last row or
    column. Sound goes into films only; elsewhere a note says that it is left out.

    Args:
        path: where to.
        size: (height, width) of all frames.
        rate: nominal frames a second; what players show, and how long the last frame stays.
        time_base: unit of the times where they are not multiples of 1/rate (the source's time base);
            by default one that holds multiples of 1/rate exactly and any other time to 0.1 ms.
        alpha: frames are RGBA and transparency is to be kept.
        codec: h264, h265, av1, vp9, prores, ffv1, h264_nvenc, ...; by default what suits the name.
        crf: quality, lower is better; by default visually lossless (18 for h264).
        preset: x264's and x265's speed, "veryfast" by default.
        audio: sound to put under it; see `AudioTrack`.
        metadata: more tags for the file; `comment` says by default that it is synthetic.
        overwrite: replace what is there.
        loop: how often an animation repeats; 0 is for ever.

    Returns:
        A context manager with `write(pixels, time)`; see `Writer`.

    Raises:
        UsageError: the kind, codec or size is impossible, or can't hold transparency.
        OutputError: it exists, or can't be written.
    """
    _check(path, size, rate)
    make = writer_of(path, codec)
    tags = {"comment": SYNTHETIC, **(metadata or {})}
    return make(Order(path, size, rate, time_base, alpha, codec, crf, preset, audio, tags, overwrite, loop))


def writer_of(path: Path, codec: str | None) -> Callable[[Order], Writer]:
    """Who writes outputs of this name.

    Raises:
        UsageError: it is no kind of output, or has no codecs to choose from.
    """
    kind = path.suffix.lower()
    if kind in FILM_KINDS:
        return VideoWriter
    if codec is not None:
        raise UsageError(f"codec {codec} does not go into {path.name}", "leave --codec out, or name a film")
    if kind == ".gif":
        return GifWriter
    if kind == ".webp":
        return WebpWriter
    if (kind == "" and path.name) or names_frames(path):
        return FolderWriter
    if names_picture(path):
        return PictureWriter
    kinds = ", ".join([*sorted(FILM_KINDS), ".gif", ".webp", *PICTURE_KINDS])
    known = f"{kinds}; no ending or name/%06d.png for a folder of PNGs"
    raise UsageError(f"{path.name}: {kind or 'this'} is no kind of output", f"known: {known}")


def _check(path: Path, size: tuple[int, int], rate: Fraction) -> None:
    if min(size) < 1:
        raise UsageError(f"size is {size[1]}x{size[0]}, expected at least 1x1", "choose a larger --size")
    if rate <= 0:
        raise UsageError(f"frame rate is {rate}, expected more than 0", "choose another --fps")


def can_hold_alpha(path: Path) -> bool:
    """Whether a file of this name can keep transparency."""
    return path.suffix.lower() in ("", ".mov", ".webm", ".mkv", ".gif", ".webp", ".png") or names_frames(path)
