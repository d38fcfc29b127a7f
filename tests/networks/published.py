"""Networks of the published forms, with the weights under which their outputs were recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from tests.reference_weights import fill, official_shapes, record
from torch import Tensor, nn

from retarget_cli.networks.residual_generator import TrunkDesign

N = TypeVar("N", bound=nn.Module)
FACE = TrunkDesign(levels=3, after=5)
FOREGROUND = TrunkDesign(width=32, levels=3, norm="batch")
FINE = TrunkDesign(width=32, levels=1, before=0, after=3, norm="batch")


def recorded(name: str) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Arrays as float tensors, and the rules of their weights."""
    arrays, rules = record(name)
    return {key: torch.from_numpy(value).float() for key, value in arrays.items() if value.ndim}, rules


def filled_as(network: N, names: Mapping[str, str], keys: str, rules: list[dict[str, Any]], which: int) -> N:
    """In evaluation mode.

    Args:
        network: of the published form.
        names: theirs -> ours, of this network's tensors; the list may have more.
        keys: the list of official names.
        rules: of the record.
        which: of them.
    """
    rule = {key: rules[which][key] for key in ("seed", "gain", "over", "prefix")}
    shapes = {name: shape for name, shape in official_shapes(keys).items() if name in names}
    made = {names[name]: value for name, value in fill(shapes, **rule).items()}
    left = network.load_state_dict(made, strict=False, assign=True)
    assert not left.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in left.missing_keys)
    return network.eval()


def apart(one: Tensor, other: Tensor) -> float:
    """The largest difference; shapes are equal."""
    assert one.shape == other.shape
    return float((one - other).abs().max())
