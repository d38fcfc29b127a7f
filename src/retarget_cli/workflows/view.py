"""`retarget view`: a person from other sides, standing still, frozen in a moment of a clip, or moving like it."""

from __future__ import annotations

from retarget_cli.backends.registry import backend_class, known_backends
from retarget_cli.core.errors import BackendError, UsageError
from retarget_cli.core.progress import Progress
from retarget_cli.perception.cache import Cache
from retarget_cli.workflows.animate import AnimateResult, animate
from retarget_cli.workflows.animate_options import AnimateOptions


def view(options: AnimateOptions, cache: Cache | None = None, progress: Progress | None = None) -> AnimateResult:
    """Show the source from the viewpoints of `options.orbit`: the way of `animate`, which see.

    Raises:
        RetargetError: whatever the user can act on; nothing is left behind then.
    """
    check_moves(options.backend, "shows nobody from another side")
    if options.freeze is not None and options.driving is None:
        raise UsageError("--freeze: there is no clip to freeze", "add --driving, or leave --freeze out")
    return animate(options, cache, progress)


def check_moves(backend: str | None, fault: str) -> None:
    """Refuse a baseline that only repeats its source.

    Args:
        backend: its name; None is the default, or a subject file's, which move.
        fault: what it does not do.

    Raises:
        UsageError: it is one; those that are none are named.
    """
    if backend is not None and not backend_class(backend).spec.moves:
        able = [name for name in sorted(known_backends()) if _moves(name)]
        raise UsageError(f"--backend {backend} {fault}", f"those that can: {', '.join(able)}")


def _moves(backend: str) -> bool:
    try:
        return backend_class(backend).spec.moves
    except BackendError:  # somebody's extension that is broken is no help here
        return False
