"""`retarget dress`: a person in somebody else's clothes, standing as in the photo or moving like a clip."""

from __future__ import annotations

from retarget_cli.core.errors import UsageError
from retarget_cli.core.progress import Progress
from retarget_cli.perception.cache import Cache
from retarget_cli.workflows.animate import AnimateResult, animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.source import source_files
from retarget_cli.workflows.view import check_moves


def dress(options: AnimateOptions, cache: Cache | None = None, progress: Progress | None = None) -> AnimateResult:
    """Show the source in `options.parts` of the clothes of `options.garment`: the way of `animate`, which see.

    Raises:
        RetargetError: whatever the user can act on; nothing is left behind then.
    """
    check_moves(options.backend, "changes nobody's clothes")
    if not options.garment:
        raise UsageError("no --garment is given", "give a photo of somebody who wears the clothes")
    source_files(options.garment, "--garment")
    return animate(options, cache, progress)
