"""Opens every file of a folder as a picture and as a clip, with little memory to spend, and tells what came of it.

`python bomb_trial.py FOLDER`: a JSON object, file name -> what a picture and a clip gave, and the memory so far.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from retarget_cli.core.errors import RetargetError
from retarget_cli.core.memory import peak_mib
from retarget_cli.media.images import read_picture
from retarget_cli.media.reader import open_frames

LIMIT = 3 << 30


def outcome(look: Callable[[Path], object], path: Path) -> str:
    """`InputError: line`, what was seen, or the name of an error that should not be."""
    try:
        return f"seen: {look(path)}"
    except RetargetError as error:
        return f"{type(error).__name__}: {error.line}"
    except BaseException as error:
        return f"fault: {error!r}"


def as_clip(path: Path) -> str:
    """How many frames of which size, and what was odd."""
    with open_frames(path, long_side=256) as source:
        return f"{sum(1 for _ in source)} frames of {source.size} {source.notes}"


def main() -> None:
    """Look at all files, each in both ways."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    logging.disable(logging.CRITICAL)
    found = {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        picture = outcome(lambda each: read_picture(each).rgb.shape, path)
        clip = outcome(as_clip, path)
        found[path.name] = {"picture": picture, "clip": clip, "peak_mib": round(peak_mib())}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
