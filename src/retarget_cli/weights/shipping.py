"""Make weights of a run ready to ship: half precision, and a row in the manifest beside them.

    python -m retarget_cli.weights.shipping RUN/weights.safetensors weights/BACKEND-SIZE.safetensors
        --license ... --provenance ... --made-by ... --data ...
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import takewhile
from pathlib import Path

from retarget_cli.core.files import write_whole
from retarget_cli.weights.checkpoints import read_label, read_weights, write_weights
from retarget_cli.weights.hashing import sha256_of
from retarget_cli.weights.shipped import MANIFEST, Shipped, read_manifest


def ship(source: Path, target: Path, license_: str, provenance: str, made_by: str, data: str) -> Shipped:
    """Write the weights in half precision and their row.

    Args:
        source: weights of a run.
        target: in the folder of the manifest.
        license_, provenance, made_by, data: see `Shipped`.

    Returns:
        The row.

    Raises:
        WeightsError, OutputError: the source can't be read, the folder can't be written.
    """
    backend = read_label(source).backend
    state, label = read_weights(source, backend)
    half = {name: tensor.half() for name, tensor in state.items()}
    write_weights(target, half, replace(label, license=license_, provenance=provenance, version=""))
    row = Shipped(
        target.name, backend, sha256_of(target), target.stat().st_size, license_, provenance, made_by, data
    )
    write_manifest(target.parent / MANIFEST, row)
    return row


def write_manifest(path: Path, row: Shipped) -> None:
    """Put a row into a manifest, in the place of an earlier one of its name; the comment above the rows stays."""
    others = [other for other in read_manifest(path.parent) if other.name != row.name]
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    comment = "\n".join(takewhile(lambda line: line.startswith("#"), lines))
    rows = "\n".join(_block(each) for each in sorted([*others, row], key=lambda each: each.name))
    write_whole(path, f"{comment}\n\n{rows}".lstrip().encode(), "check the folder")


def _block(row: Shipped) -> str:
    # JSON's strings and whole numbers are TOML's, too.
    return "[[file]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in asdict(row).items())


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    for name in ("license", "provenance", "made-by", "data"):
        parser.add_argument(f"--{name}", required=True)
    said = parser.parse_args(arguments)
    ship(said.source, said.target, said.license, said.provenance, said.made_by, said.data)


if __name__ == "__main__":
    main()
