"""Base weights that come with the project: a folder with a manifest, in a checkout and in an installed package alike.

The folder is `weights/` of the repository; `setup.py` puts what the manifest names into the package when it is built.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from retarget_cli.core.errors import WeightsError
from retarget_cli.weights.hashing import Ledger

MANIFEST = "manifest.toml"
INSTALLED = Path(__file__).resolve().parent / "shipped"
"""Where they lie in an installed package; absent in a checkout."""

_REPAIR = "install retarget again, or get the file from the repository"


@dataclass(frozen=True, slots=True)
class Shipped:
    """A row of the manifest.

    Attributes:
        name: of the file, which lies beside the manifest.
        backend: the method's name.
        sha256: 64 digits.
        bytes: size.
        license: of the weights.
        provenance: what they are.
        made_by: the command that makes them anew.
        data: what they learned from, with licences.
    """

    name: str
    backend: str
    sha256: str
    bytes: int
    license: str
    provenance: str
    made_by: str
    data: str


def read_manifest(folder: Path) -> tuple[Shipped, ...]:
    """The rows of a folder's manifest; none where there is no manifest.

    Raises:
        WeightsError: it is damaged.
    """
    path = folder / MANIFEST
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("file", [])
        return tuple(_row(row) for row in rows)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} is damaged: {error}", _REPAIR) from error


def _row(row: dict[str, object]) -> Shipped:
    kinds = {each.name: int if each.name == "bytes" else str for each in fields(Shipped)}
    if set(row) != set(kinds):
        raise ValueError(f"a row has {', '.join(sorted(row))}; expected {', '.join(sorted(kinds))}")
    wrong = [name for name, kind in kinds.items() if not isinstance(row[name], kind)]
    if wrong:
        raise ValueError(f"{wrong[0]} of a row is {row[wrong[0]]!r}")
    return Shipped(**row)  # type: ignore[arg-type]  # checked above


def fault_of(path: Path, row: Shipped, ledger: Ledger, is_fresh: bool = False) -> str:
    """Why a file is not what its row says; empty where it is.

    Args:
        is_fresh: hash it though its hash is remembered.
    """
    try:
        size = path.stat().st_size
        if size != row.bytes:
            return f"it has {size} bytes instead of {row.bytes}"
        digest = ledger.sha256(path, is_fresh)
    except OSError as error:
        return f"it can't be read: {error.strerror or error}"
    except WeightsError as error:
        return error.message
    return "" if digest == row.sha256 else f"its sha256 is {digest[:16]}..., expected {row.sha256[:16]}..."


def check_shipped(path: Path, ledger: Ledger) -> None:
    """Refuse a damaged file that a manifest beside it names; others have nothing to be compared with.

    Raises:
        WeightsError: it is not what the manifest says.
    """
    for row in read_manifest(path.parent):
        if row.name == path.name and (fault := fault_of(path, row, ledger)):
            raise WeightsError(f"{path} is damaged: {fault}", _REPAIR)
