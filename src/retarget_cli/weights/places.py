"""Where weights may lie."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retarget_cli.core.folders import user_data
from retarget_cli.weights.shipped import INSTALLED


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is searched.

    Attributes:
        name: for people.
        folder: may not exist.
    """

    name: str
    folder: Path


def places(given: Path | None = None, environment: Mapping[str, str] | None = None) -> tuple[Place, ...]:
    """In the order in which they are searched for public networks: our own folders, then torch's.

    Args:
        given: the user's own folder; before everything, and instead of $RETARGET_WEIGHTS.
        environment: by default the process's.
    """
    variables = os.environ if environment is None else environment
    torch_home = _torch_home(variables)
    # `checkpoints` without `hub` is where facenet-pytorch and torchreid keep theirs.
    return (
        *own_places(given, variables),
        Place("torch hub", torch_home / "hub" / "checkpoints"),
        Place("torch cache", torch_home / "checkpoints"),
    )


def own_places(given: Path | None = None, environment: Mapping[str, str] | None = None) -> tuple[Place, ...]:
    """In the order in which they are searched for weights of backends; arguments as for `places`."""
    variables = os.environ if environment is None else environment
    found = []
    if given is not None:
        found.append(Place("given", given.expanduser()))
    elif variables.get("RETARGET_WEIGHTS"):
        found.append(Place("RETARGET_WEIGHTS", Path(variables["RETARGET_WEIGHTS"]).expanduser()))
    found.append(Place("user data", data_folder(variables)))
    checkout = _checkout()
    if checkout is not None:
        found.append(Place("project", checkout / "weights"))
    elif INSTALLED.is_dir():
        found.append(Place("package", INSTALLED))
    return tuple(found)


def data_folder(variables: Mapping[str, str]) -> Path:
    """`retarget/weights` in the platform's folder for a user's data."""
    return user_data(variables) / "weights"


def _checkout() -> Path | None:
    """The project's folder when running from a checkout."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() and (root / "weights").is_dir() else None


def _torch_home(variables: Mapping[str, str]) -> Path:
    if variables.get("TORCH_HOME"):
        return Path(variables["TORCH_HOME"]).expanduser()
    cache = variables.get("XDG_CACHE_HOME")
    return (Path(cache).expanduser() if cache else Path.home() / ".cache") / "torch"
