"""Checkpoints that hold several networks: a dictionary of state dicts, made one."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def flattened(loaded: object) -> object:
    """`{network: {name: tensor}}` as `{network.name: tensor}`; anything else comes back as it is.

    What lies beside the networks, such as optimizers and counts of epochs, is left out, and so is a `module.` before
    all names of a network.

    Args:
        loaded: what a reader that runs nothing found in a file.
    """
    if not isinstance(loaded, Mapping) or any(isinstance(value, Tensor) for value in loaded.values()):
        return loaded
    found = {str(part): _plain(value) for part, value in loaded.items() if is_state(value)}
    return {f"{part}.{name}": tensor for part, state in found.items() for name, tensor in state.items()} or loaded


def is_state(value: object) -> bool:
    """Whether it is a mapping of names to tensors, and not empty."""
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in value.items())
    )


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    is_wrapped = all(name.startswith("module.") for name in state)
    return {name.removeprefix("module.") if is_wrapped else name: tensor for name, tensor in state.items()}
