"""`retarget cache`."""

from __future__ import annotations

from typing import Annotated

import typer

from retarget_cli.cli.running import running

cache = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What perception keeps for a second run.")


@cache.command()
def info(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Where it lies and how large it is."""
    with running(as_json=as_json) as screen:
        from retarget_cli.perception.cache import default_cache

        found = default_cache().info()
        text = (
            f"{found.folder}: {found.entries} entries, {found.bytes_used / 2**20:.1f} MiB "
            f"of at most {found.limit_bytes / 2**20:.0f} MiB" + ("" if found.is_writable else "; it can't be written")
        )
        data = {
            "folder": str(found.folder),
            "entries": found.entries,
            "bytes": found.bytes_used,
            "limit": found.limit_bytes,
            "writable": found.is_writable,
        }
        screen.result(text, data)


@cache.command()
def clear(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Remove everything in it."""
    with running(as_json=as_json) as screen:
        from retarget_cli.perception.cache import default_cache

        count = default_cache().clear()
        screen.result(f"removed {count} {'entry' if count == 1 else 'entries'}", {"removed": count})
