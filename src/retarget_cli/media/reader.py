"""Open whatever a user has: a video, an animation, a picture, a folder of frames."""

from fractions import Fraction
from pathlib import Path

from retarget_cli.core.errors import UsageError
from retarget_cli.media.decoder import EXPECTED
from retarget_cli.media.files import check_readable_file
from retarget_cli.media.images import is_picture
from retarget_cli.media.picture_source import AnimationSource, FolderSource
from retarget_cli.media.source import Frame, FrameSource, Window
from retarget_cli.media.video_source import VideoSource

__all__ = ["Frame", "FrameSource", "open_frames"]


def open_frames(
    path: Path,
    *,
    start: Fraction | None = None,
    end: Fraction | None = None,
    max_frames: int | None = None,
    long_side: int | None = None,
    folder_rate: Fraction | None = None,
) -> FrameSource:
    """Open a source of frames; the file's content decides what it is, not its name.

    Frames come upright, with square pixels, as 8-bit sRGB/BT.709; HDR is tone-mapped, transparency of
    pictures is put on white and that of films dropped. Memory does not grow with the clip.

    Args:
        path: a video, an animated GIF/WebP/PNG/AVIF, a picture (one frame), or a folder of pictures.
        start, end: frames with start <= time < end, in seconds since the first frame of the file.
        max_frames: at most so many frames.
        long_side: shrink frames so that their longer side is at most this, in pixels.
        folder_rate: frames a second of a folder; 25 by default.

    Returns:
        A source to be used as a context manager and iterated once; its docstring has the time convention.

    Raises:
        InputError: missing, empty, damaged, of another kind, without pictures, or nothing in the window.
        UsageError: the window, `long_side` or `folder_rate` is impossible.
    """
    window = Window(start, end, max_frames)
    if long_side is not None and long_side < 1:
        raise UsageError(f"long side is {long_side} px, expected 1 or more", "leave it out for full size")
    if path.is_dir():
        return FolderSource(path, window, long_side, folder_rate)
    check_readable_file(path, EXPECTED)
    if is_picture(path):
        return AnimationSource(path, window, long_side)
    return VideoSource(path, window, long_side)
