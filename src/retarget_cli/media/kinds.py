"""What files' endings say of them. Readers go by content; endings serve where many files must be sorted unopened."""

from __future__ import annotations

import re
from pathlib import PurePath

from retarget_cli.media.codecs import FILM_KINDS

PICTURES = frozenset(
    ".png .jpg .jpeg .jpe .webp .avif .bmp .tif .tiff .gif .ppm .pgm .jp2".split()  # noqa: SIM905
)
# Pictures that may move.
ANIMATIONS = frozenset({".gif", ".webp", ".avif", ".apng"})
FILMS = FILM_KINDS | frozenset(
    ".avi .mpg .mpeg .ts .mts .m2ts .wmv .flv .ogv .3gp .mxf .vob .y4m".split()  # noqa: SIM905
)
SUBJECT = ".subject"
MOTION = ".motion"

PICTURE_OUTPUTS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
ANIMATION_OUTPUTS = (".gif", ".webp")


def names_frames(path: PurePath) -> bool:
    """Whether the name is a pattern for PNG frames, such as out/frame_%04d.png."""
    return re.fullmatch(r"[^%]*%0?\d*d[^%]*\.png", path.name, re.IGNORECASE) is not None
