"""Say beforehand that the first run takes longer."""

from __future__ import annotations

from pathlib import Path

from retarget_cli.core.progress import Progress


def is_compiled() -> bool:
    """Whether numba has compiled the rasterizer on this machine before."""
    from retarget_cli.body.raster import numba_kernel

    cache = getattr(numba_kernel.draw, "stats", None)
    folder = getattr(cache, "cache_path", None)
    return folder is None or any(Path(folder).glob("numba_kernel.draw-*.nbi"))


def announce_compilation(progress: Progress) -> None:
    """A note when the next minute goes to the compiler."""
    if not is_compiled():
        progress.note("compiling the renderer, once: this takes some seconds")
