"""iPER: `val.txt` lists `ACTOR/OUTFIT/ACTION`; action 1 is an A-pose turn, 2 free motion.

The clips are films `ACTOR_OUTFIT_ACTION.mp4` in a folder `*video_release*`, or frames in `images*/ACTOR/OUTFIT/ACTION`.
`iPER_protocol.json`, where it lies beside, chooses eight source views (0, 45, ... degrees) and whom each imitates.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from retarget_cli.core.errors import InputError
from retarget_cli.evaluation.layouts.clips import has_frames, is_film
from retarget_cli.evaluation.recordings import Recording, Shot, Stream

SPLITS = {"train": "train.txt", "test": "val.txt"}
PROTOCOL = "iPER_protocol.json"


def is_iper(root: Path) -> bool:
    """A list of clips, and clips where iPER has them."""
    return (root / "val.txt").is_file() and any(_clip_folders(root))


def read_iper(root: Path, split: str) -> list[Recording]:
    """The clips of `train` or `test`.

    Raises:
        InputError: a list or the protocol can't be read, or a clip that it names is not there.
    """
    listed = root / SPLITS[split]
    try:
        names = [line.strip() for line in listed.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{listed}: {error}", "iPER comes with train.txt and val.txt") from error
    protocol = _protocol(root / PROTOCOL)
    return [_recording(root, name, protocol.get(name), listed) for name in names]


def _clip_folders(root: Path) -> list[Path]:
    return [
        child
        for child in sorted(root.iterdir())
        if child.is_dir() and ("video_release" in child.name or child.name.startswith("images"))
    ]


def _clip(root: Path, name: str, listed: Path) -> Path:
    for folder in _clip_folders(root):
        film, frames = folder / f"{name.replace('/', '_')}.mp4", folder / name
        if is_film(film):
            return film
        if has_frames(frames):
            return frames
    raise InputError(
        f"{listed}: lists {name}, but there is no such clip",
        f"expected {name.replace('/', '_')}.mp4 in *video_release*, or frames in images*/{name}",
    )


def _protocol(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}", "remove it, and views are chosen by the pose") from error
    return found if isinstance(found, dict) else {}


def _recording(root: Path, name: str, chosen: dict[str, Any] | None, listed: Path) -> Recording:
    clip = _clip(root, name, listed)
    person = name.split("/", maxsplit=1)[0]
    if chosen is None:
        return Recording(name.replace("/", "_"), Stream(clip), person)
    try:
        views = tuple(_shot(clip, view) for view in chosen.get("source", ()))
        first, last = chosen.get("self_imitation", {}).get("range", (0, None))
        cross = chosen.get("cross_imitation")
        driving = None if cross is None else _part(_clip(root, cross["target"], listed), *cross["range"])
        stream = _part(clip, first, last)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{root / PROTOCOL}: {name}: {error!r}"
        raise InputError(message, "remove it, and views are chosen by the pose") from error
    return Recording(name.replace("/", "_"), stream, person, views=views, driving=driving)


def _shot(clip: Path, view: str) -> Shot:
    """`035.jpg` is a file among frames, and frame 35 of a film."""
    return Shot(clip / view) if clip.is_dir() else Shot(clip, int(Path(view).stem))


def _part(clip: Path, first: int, last: int | None) -> Stream:
    """The protocol's ranges end before their second number."""
    return Stream(clip, first, None if last is None else last - first)
