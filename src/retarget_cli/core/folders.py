"""Where the platform wants a user's data."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def user_data(variables: Mapping[str, str]) -> Path:
    """`retarget` in the platform's folder for a user's data; `variables` are the environment's."""
    if variables.get("XDG_DATA_HOME"):
        base = Path(variables["XDG_DATA_HOME"])
    elif sys.platform == "win32":
        local = variables.get("LOCALAPPDATA")
        base = Path(local) if local else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path.home() / ".local" / "share"
    return base / "retarget"
