"""The weights under which the originals' outputs were recorded, made anew from a seed and the tensors' names.

The rule: a tensor is a pure function of (seed, official name, shape), with numpy's `default_rng([seed, crc32(name)])`.
Tensors of two and more axes are N(0, 1) times gain times sqrt(2 / fan in), fan in being the product of all axes but the
first; `weight` of one axis 1 + 0.1 N; `running_mean` 0.1 N; `running_var` uniform in [0.5, 1.5]; everything else of one
axis, biases for the most part, 0.05 N.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


def fill(
    shapes: Mapping[str, tuple[int, ...]] | nn.Module,
    seed: int = 0,
    gain: float = 1.0,
    over: Mapping[str, float | None] | None = None,
    prefix: str = "",
) -> dict[str, Tensor]:
    """A state dict under the names that were given.

    Args:
        shapes: official names, without `prefix`, and shapes; or a module with those names.
        seed: of the record.
        gain: of convolutions and linear layers.
        over: parts of names and the gain they have instead; None leaves such tensors out (the network's own are meant).
        prefix: goes before every name when its numbers are drawn.
    """
    if isinstance(shapes, nn.Module):
        shapes = {name: tuple(value.shape) for name, value in shapes.state_dict().items()}
    made = {}
    for name, shape in shapes.items():
        found = [value for part, value in (over or {}).items() if part in prefix + name]
        chosen = found[0] if found else gain
        if chosen is not None and not name.endswith("num_batches_tracked"):
            made[name] = _values(prefix + name, shape, seed, chosen)
    return made


def _values(name: str, shape: tuple[int, ...], seed: int, gain: float) -> Tensor:
    stream = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if name.endswith("running_var"):
        drawn = stream.uniform(0.5, 1.5, shape)
    elif name.endswith("running_mean"):
        drawn = 0.1 * stream.standard_normal(shape)
    elif len(shape) > 1:
        drawn = stream.standard_normal(shape) * gain * np.sqrt(2 / np.prod(shape[1:]))
    elif name.endswith("weight"):
        drawn = 1 + 0.1 * stream.standard_normal(shape)
    else:
        drawn = 0.05 * stream.standard_normal(shape)
    return torch.from_numpy(np.asarray(drawn, np.float32))


def record(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Arrays of a recorded file, such as `iper_gen`, and what it says about its weights, a module at a time.

    The latter has the keys `cls`, `seed`, `gain`, `over` and `prefix`; all but the first are arguments of `fill`. The
    test is skipped where the file is absent.
    """
    path = SHARED / "parity" / f"{name}.npz"
    if not path.is_file():
        pytest.skip(f"{path} is not there: records of the originals are never committed")
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    rules = json.loads(str(arrays.pop("det", "[]")))
    return arrays, rules


def rule_of(rules: list[dict[str, Any]], cls: str) -> dict[str, Any]:
    """Arguments of `fill` for the module of that class."""
    found = next(rule for rule in rules if rule["cls"] == cls)
    return {key: found[key] for key in ("seed", "gain", "over", "prefix")}


def official_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Official names and shapes of a network's list, such as `iper_AttLWB-SPADE`; skipped where it is absent."""
    path = SHARED / "reference" / "keys" / f"{name}.txt"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    rows = [line.split("\t") for line in lines]
    return {row[0]: tuple(int(side) for side in row[1].strip("()").split(",") if side.strip()) for row in rows}
