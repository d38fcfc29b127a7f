"""What an item asks for, as `workflows.animate` takes it. Only workers call this: it imports all that makes a video."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from retarget_cli.batch.item import Item, Value
from retarget_cli.body.placement import Framing, MotionPath
from retarget_cli.core.reading import read_person, read_rate, read_setting, read_time
from retarget_cli.perception.missing import Missing
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.driving import Excerpt

# Columns whose values `AnimateOptions` has under the same name, and how their text becomes one.
_SAME: Mapping[str, Callable[[str], Any]] = {
    "subject": Path,
    "driving": Path,
    "backend": str,
    "body": str,
    "motion": MotionPath,
    "framing": Framing,
    "smooth": float,
    "missing": Missing,
    "person": read_person,
    "source_person": read_person,
    "crop": str,
    "driving_crop": str,
    "background": str,
    "size": str,
    "fps": read_rate,
    "audio": Path,
    "codec": str,
    "crf": int,
    "device": str,
}


def animate_options(
    item: Item, output: Path, *, window_share: int = 1, is_helping: bool = False
) -> AnimateOptions:
    """An item's options as values, as `retarget animate` would have them; what it does not say has the usual default.

    Args:
        item: its options must have been checked by `columns.options_from`.
        output: the whole path of the result; what is there is replaced, and an unfinished film is gone on with.
        window_share: see `AnimateOptions`.
        is_helping: see `AnimateOptions`.
    """
    given = item.options
    start, end, most = (_text(given, name) for name in ("start", "end", "max_frames"))
    same = {name: reader(text) for name, reader in _SAME.items() if (text := _text(given, name)) is not None}
    return AnimateOptions(
        **{"driving": None, **same},
        sources=_several(given, "source"),
        output=str(output).replace("{", "{{").replace("}", "}}"),  # a finished name, no template
        settings=tuple(read_setting(text) for text in _several(given, "set")),
        adapts_scale=_is_on(given, "adapt_scale"),
        find_best_frame=_is_on(given, "find_best_frame"),
        excerpt=Excerpt(
            None if start is None else read_time(start),
            None if end is None else read_time(end),
            None if most is None else int(most),
        ),
        has_audio=not _is_on(given, "no_audio"),
        is_compared=_is_on(given, "compare"),
        may_overwrite=True,
        is_resumed=True,
        window_share=window_share,
        is_helping=is_helping,
    )


def _text(given: Mapping[str, Value], name: str) -> str | None:
    value = given.get(name)
    return value if value is None or isinstance(value, str) else value[0]


def _several(given: Mapping[str, Value], name: str) -> tuple[str, ...]:
    value = given.get(name, ())
    return (value,) if isinstance(value, str) else value


def _is_on(given: Mapping[str, Value], name: str) -> bool:
    return given.get(name) == "true"
