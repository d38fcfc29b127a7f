"""The networks of this family under the weights that the originals were recorded with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from tests.reference_weights import fill, official_shapes, rule_of
from torch import Tensor, nn
from torch.nn import functional

Network = TypeVar("Network", bound=nn.Module)

# Kernels of the reductions are no weights: they were not drawn, and follow from the design.
OWN = ("down.weight",)


def tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    return {key: torch.from_numpy(value).float() for key, value in arrays.items() if value.dtype.kind == "f"}


def fill_network(
    network: nn.Module, names: Mapping[str, str], keys: str, rules: list[dict[str, Any]], cls: str
) -> None:
    """Names (theirs -> ours) must be those of the list, one to one, with its shapes; then weights are drawn."""
    shapes = official_shapes(keys)
    own = network.state_dict()
    assert {theirs: tuple(own[ours].shape) for theirs, ours in names.items()} == shapes
    drawn = fill(shapes, **rule_of(rules, cls))
    for name in [name for name in drawn if name.endswith("weight_orig")]:
        iterate_power(drawn, name.removesuffix("orig"))
    taken = {names[name]: tensor for name, tensor in drawn.items() if not name.endswith(OWN)}
    assert len(taken) == next(rule["n"] for rule in rules if rule["cls"] == cls and rule["n"] == len(taken))
    assert not network.load_state_dict(taken, strict=False).unexpected_keys


def iterate_power(drawn: dict[str, Tensor], name: str) -> None:
    """The leading singular pair as the records have it: a hundred steps from the vectors that were drawn."""
    matrix, left = drawn[f"{name}orig"].flatten(1), drawn[f"{name}u"]
    for _ in range(100):
        right = functional.normalize(matrix.T @ left, dim=0)
        left = functional.normalize(matrix @ right, dim=0)
    drawn[f"{name}u"], drawn[f"{name}v"] = left, right


def other_reading(network: Network, other: Network) -> Network:
    """`other`, built on the device meta, with the weights of the network."""
    other.load_state_dict(network.state_dict(), assign=True)
    return other.eval()


def close(found: Tensor, wanted: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(found, wanted, atol=tolerance, rtol=0)


def farthest(found: Tensor, wanted: Tensor) -> float:
    return float(np.abs((found - wanted).numpy()).max())
