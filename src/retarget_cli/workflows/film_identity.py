"""What a film's frames depend on, in words that can be compared: only where all are equal is a film gone on with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import torch

from retarget_cli.backends.base import Backend
from retarget_cli.backends.trainable import Trainable
from retarget_cli.perception.cache import content_hash
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.machine import program_version
from retarget_cli.workflows.origin import Origin
from retarget_cli.workflows.source import source_files

# Said by content below, or without any influence on a frame.
_OTHERWISE = {"sources", "subject", "driving", "garment", "audio", "background", "backend", "settings", "body"}
_IDLE = {"output", "may_overwrite", "device", "is_resumed", "is_helping", "window_share", "debug_volume"}


def film_identity(options: AnimateOptions, origin: Origin, backend: Backend) -> dict[str, str]:
    """Every option by its name, every file by a hash of its content, and the program's version."""
    told = {
        each.name: str(getattr(options, each.name))
        for each in fields(options)
        if each.name not in _OTHERWISE | _IDLE
    }
    return {
        **told,
        **_cast(options, origin),
        "driving": _hashed([options.driving]),
        "audio": _hashed([options.audio]),
        "background": _hashed([Path(options.background)]) if os.path.exists(options.background) else options.background,
        "weights": backend.lineage().get("sha256", "") if isinstance(backend, Trainable) else "",
        "retarget": program_version(),
    }


def ready_key(options: AnimateOptions, origin: Origin, device: torch.device) -> str:
    """What a performer that is ready depends on, for `Troupe`."""
    told = {
        **_cast(options, origin),
        "size": options.size,
        "crop": options.crop,
        "source person": options.source_person,
        "garment person": options.garment_person,
        "parts": str(options.parts),
        "device": str(device),
    }
    return json.dumps(told, sort_keys=True)


def _cast(options: AnimateOptions, origin: Origin) -> dict[str, str]:
    """Who is shown, and by which method."""
    return {
        "sources": _hashed(origin.files),
        "subject": _hashed([origin.path]),
        "garment": _hashed(source_files(options.garment, "--garment") if options.garment else ()),
        "backend": origin.backend,
        "settings": json.dumps(dict(origin.settings), sort_keys=True),
        "body": origin.body,
    }


def _hashed(paths: Iterable[Path | None]) -> str:
    return " ".join(content_hash(path) for path in paths if path is not None)
