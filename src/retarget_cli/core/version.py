"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str | None:
    """Of the installed package; None where the sources run without being installed."""
    try:
        return version("retarget-cli")
    except PackageNotFoundError:
        return None
