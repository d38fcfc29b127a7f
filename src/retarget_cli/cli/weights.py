"""`retarget weights`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retarget_cli.cli.running import running
from retarget_cli.cli.screen import Screen
from retarget_cli.cli.tables import table
from retarget_cli.cli.weights_import import import_checkpoint
from retarget_cli.core.errors import UsageError, WeightsError

if TYPE_CHECKING:
    from retarget_cli.weights.inventory import Kept
    from retarget_cli.weights.store import State, Store

weights = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Weights of backends and metrics: what is there, and how to get it.",
)

Folder = Annotated[Path | None, typer.Option("--folder", metavar="FOLDER", help="Look here first, and pull into it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Debug = Annotated[bool, typer.Option("--debug", help="Tracebacks.")]

weights.command("import")(import_checkpoint)

_LINE_SECONDS = 2.0
_MEGABYTE = 1e6


@weights.command("list")
def list_all(folder: Folder = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Every file of weights: whether it is there, its size, licence and hash, and what needs it."""
    with running(as_json=as_json, debug=debug) as screen:
        store = _store(folder)
        states = [store.state(key, is_hashed=False) for key in store.catalog]
        rows = [
            (
                state.row.key,
                "yes" if state.path is not None and not state.reason else "no" if state.path is None else "damaged",
                _size(state.row.size),
                ", ".join(state.row.uses),
                _hash(state.row.sha256),
                state.row.license,
            )
            for state in states
        ]
        text = table(("weights", "there", "size", "needed by", "sha256", "licence"), rows)
        kept = _kept(folder)
        files = table(
            ("backend", "weights", "where", "size", "steps", "licence", ""), [_kept_row(each) for each in kept]
        )
        ours = files if kept else "no weights of backends are there"
        searched = "\n".join(f"  {place.folder} ({place.name})" for place in store.folders)
        data = {
            "weights": {state.row.key: _data(state) for state in states},
            "backends": [_kept_data(each) for each in kept],
            "searched": [{"name": place.name, "folder": str(place.folder)} for place in store.folders],
        }
        screen.result(f"{ours}\n\n{text}\n\nsearched, in order:\n{searched}", data)


@weights.command()
def pull(
    keys: Annotated[list[str] | None, typer.Argument(help="Which; see `retarget weights list`.")] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    folder: Folder = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Get weights over the network, and check them. What is there and good is left alone."""
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        store = _store(folder)
        states = [store.pull(key, _progress(screen, key)) for key in _chosen(store, keys, is_all)]
        text = "\n".join(f"{state.row.key}: {state.path}" for state in states)
        screen.result(text, {"weights": {state.row.key: _data(state) for state in states}})


@weights.command()
def verify(
    keys: Annotated[list[str] | None, typer.Argument(help="Which; by default all that are there.")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Hash files again and compare with what is known; ends with 4 when one is damaged, or asked for and missing."""
    with running(as_json=as_json, debug=debug) as screen:
        store, kept = _store(folder), _kept(folder)
        files, chosen = _divided(store, kept, keys)
        found = [store.state(key, is_fresh=True) for key in chosen]
        states = found if keys else [state for state in found if state.path is not None]
        kept = _verified(files)
        faults = {state.row.key: state.reason for state in states if state.reason}
        broken = {each.name: each.fault for each in kept if each.fault}
        lines = [f"{each.name}: {each.fault or 'good'} ({each.path})" for each in kept]
        lines += [f"{state.row.key}: {_verdict(state)}" for state in states]
        if faults or broken:
            for line in lines:
                screen.line(line)
            both = {**broken, **faults}
            raise WeightsError(
                f"{', '.join(both)}: {next(iter(both.values()))}",
                f"retarget weights pull {' '.join(faults)}" if faults else "get them again, or remove them",
            )
        data = {
            "weights": {state.row.key: _data(state) for state in states},
            "backends": [_kept_data(each) for each in kept],
        }
        screen.result("\n".join(lines) or "no weights are there", data)


@weights.command()
def path(
    key: Annotated[str, typer.Argument(help="Which; see `retarget weights list`.")],
    folder: Folder = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Where a file lies; ends with 4 when it is missing or damaged."""
    with running(as_json=as_json, debug=debug) as screen:
        store = _store(folder)
        files, _ = _divided(store, _kept(folder), [key])
        if files:
            from retarget_cli.weights.hashing import sha256_of

            (kept,) = _verified(files[:1])
            if kept.fault:
                raise WeightsError(f"{kept.path}: {kept.fault}", "get it again, or remove it")
            found, digest = kept.path, sha256_of(kept.path)
        else:
            found, digest = store.good(key)
        screen.result(str(found), {"path": str(found), "sha256": digest})


def _store(folder: Path | None) -> Store:
    from retarget_cli.weights.store import default_store

    return default_store(folder)


def _kept(folder: Path | None) -> list[Kept]:
    from retarget_cli.weights.inventory import kept_files

    return kept_files(folder)


def _verified(kept: list[Kept]) -> list[Kept]:
    from retarget_cli.weights.inventory import checked

    return [checked(each) for each in kept]


def _divided(store: Store, kept: list[Kept], keys: list[str] | None) -> tuple[list[Kept], list[str]]:
    """Files of backends and keys of the catalog that were named; all of both where none was."""
    if not keys:
        return kept, list(store.catalog)
    names = {each.name for each in kept}
    return [each for each in kept if each.name in keys], [key for key in keys if key not in names]


def _chosen(store: Store, keys: list[str] | None, is_all: bool) -> list[str]:
    if is_all:
        return list(store.catalog)
    if not keys:
        raise UsageError("no weights were named", f"name some of {', '.join(store.catalog)}, or --all")
    for key in keys:
        store.find(key)  # an unknown name is told before anything is pulled
    return keys


def _progress(screen: Screen, key: str) -> Callable[[int, int | None], None]:
    """A line every few seconds."""
    last = time.perf_counter()

    def told(done: int, total: int | None) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= _LINE_SECONDS:
            last = now
            of = "" if total is None else f" of {total / _MEGABYTE:.0f}"
            screen.line(f"{key}: {done / _MEGABYTE:.0f}{of} MB")

    return told


def _size(size: int | None) -> str:
    return "unknown" if size is None else f"{size / _MEGABYTE:.0f} MB"


def _hash(digits: str) -> str:
    if not digits:
        return "unknown"
    return f"{digits[:12]}..." if len(digits) == 64 else f"{digits} (only these are known)"


def _verdict(state: State) -> str:
    if state.reason:
        return f"{state.reason} ({state.path})"
    if not state.row.sha256:
        return f"nothing to compare with; its sha256 is {state.sha256} ({state.path})"
    return f"good ({state.path})"


def _kept_row(kept: Kept) -> tuple[str, ...]:
    label, row = kept.label, kept.row
    size = kept.path.stat().st_size if kept.path.is_file() else None
    steps = str(label.steps) if label is not None and label.steps else ""
    license = label.license if label is not None else "" if row is None else row.license
    return kept.backend, kept.name, kept.place, _size(size), steps, license, kept.fault


def _kept_data(kept: Kept) -> dict[str, object]:
    label = kept.label
    told = {} if label is None else {
        "design": dict(label.design),
        "steps": label.steps,
        "license": label.license,
        "provenance": label.provenance,
        "notes": list(label.notes),
        "version": label.version,
    }  # fmt: skip
    return {
        "name": kept.name,
        "backend": kept.backend,
        "path": str(kept.path),
        "place": kept.place,
        "is_shipped": kept.row is not None,
        "fault": kept.fault,
        **told,
    }


def _data(state: State) -> dict[str, object]:
    row = state.row
    return {
        "condition": state.condition.value,
        "path": None if state.path is None else str(state.path),
        "place": state.place,
        "reason": state.reason,
        "file": row.file,
        "urls": list(row.urls),
        "license": row.license,
        "sha256": row.sha256,
        "sha256_of_file": state.sha256,
        "sha256_is_whole": row.is_hash_whole,
        "bytes": row.size,
        "uses": list(row.uses),
        "origin": row.origin,
    }
