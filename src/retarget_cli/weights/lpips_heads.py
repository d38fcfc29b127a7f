"""LPIPS's learned heads, which torchmetrics ships in its wheel (version 0.1 of the original's weights)."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from retarget_cli.core.errors import WeightsError

PACKAGE = "torchmetrics"
KNOWN_SHA256 = {
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
}
"""Of the files in torchmetrics 1.9.0; the same bytes as in lpips 0.1.4."""


def heads_path(kind: str) -> Path:
    """File of the heads for a backbone, `alex` or `vgg`; without importing torchmetrics, which takes seconds.

    Raises:
        WeightsError: torchmetrics is not installed, or brings no such file.
    """
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / "functional" / "image" / "lpips_models" / f"{kind}.pth"
        if path.is_file():
            return path
    raise WeightsError(f"the LPIPS heads {kind!r} are not in the installed {PACKAGE}", f"pip install {PACKAGE}==1.9.0")


def heads_version() -> str:
    """`torchmetrics 1.9.0`."""
    try:
        return f"{PACKAGE} {version(PACKAGE)}"
    except PackageNotFoundError:
        return PACKAGE
