"""State dicts from files that are read and never executed, into networks that they must fit exactly."""

from __future__ import annotations

import errno
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from retarget_cli.core.errors import WeightsError
from retarget_cli.weights.catalog import CATALOG
from retarget_cli.weights.nested import flattened

Network = TypeVar("Network", bound=nn.Module)

_SHOWN = 3
# Torch's reader of zip files seeks where a file that was cut short has nothing.
_TORN = (errno.EINVAL,)
# Counters that batch normalization got after some of the public files were written; inference ignores them.
_COUNTERS = "num_batches_tracked"


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of one that `torch.save` wrote; on the CPU.

    A state dict that lies under `state_dict`, or whose keys all begin with `module.`, is taken out of it; several that
    lie beside each other, by the names of their networks, become one, and what lies beside them is left out.

    Raises:
        WeightsError: it can't be read, is damaged, or holds something else than tensors.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            loaded = load_file(path)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # old files name classes that torch calls deprecated
                loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"{path} is not there", "`retarget weights list` shows what is") from error
    except IsADirectoryError as error:
        raise WeightsError(f"{path} is a folder, expected a file of weights", "name one file inside it") from error
    except Exception as error:  # a damaged file makes torch and its unpickler raise nearly anything
        raise WeightsError(
            f"{path} cannot be read as weights: {_reason(error)}", "expected is a state dict alone, whole"
        ) from error
    return _tensors(loaded, path)


def _reason(error: Exception) -> str:
    """In a line. Torch's own words for a file that asks for code advise to run it."""
    text = str(error).strip()
    asked = re.search(r"GLOBAL (\S+)", text)
    if asked is not None:
        return f"it asks for code ({asked[1]}), and nothing in it is run"
    if "TorchScript" in text:
        return "it is a TorchScript program, and nothing in it is run"
    if isinstance(error, OSError) and error.strerror and error.errno not in _TORN:
        return error.strerror
    return "it is another kind of file, or cut short"


def _tensors(loaded: object, path: Path) -> dict[str, Tensor]:
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    loaded = flattened(loaded)
    if not isinstance(loaded, Mapping) or not loaded:
        raise WeightsError(f"{path} holds no state dict", "it is another kind of file")
    strange = [str(key) for key, value in loaded.items() if not (isinstance(key, str) and isinstance(value, Tensor))]
    if strange:
        raise WeightsError(f"{path} holds more than tensors: {_some(strange)}", "it is another kind of file")
    state = dict(loaded)
    if all(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    return state


def load_into(module: nn.Module, state: Mapping[str, Tensor], name: str, unused: Sequence[str] = ()) -> None:
    """Fill a network; every key and shape must match.

    Args:
        name: of the weights; for messages.
        unused: prefixes of keys that the file may hold beyond the network.

    Raises:
        WeightsError: keys are missing, unexpected or of other shapes. The network is then untouched.
    """
    given = {key: value for key, value in state.items() if not key.startswith(tuple(unused))}
    faults = differences(given, {key: tuple(value.shape) for key, value in module.state_dict().items()})
    if faults:
        raise WeightsError(
            f"the weights of {name} are not those of this network: {'; '.join(faults)}",
            f"remove the file and `retarget weights pull {name}`"
            if name in CATALOG
            else "name those that were made for it",
        )
    module.load_state_dict(given, strict=False)  # strict about all but the counters, above


def fitted(build: Callable[[], Network], state: Mapping[str, Tensor], name: str) -> Network:
    """The network that a file says it has weights of, filled with them.

    It is built without memory first: a file that tells of a network which it does not hold costs nothing.

    Args:
        build: makes it, of the design that the file tells.
        state: what the file holds.
        name: of the weights; for messages.

    Raises:
        WeightsError: there is no such network, or the weights are not its own.
    """
    try:
        with torch.device("meta"):
            wanted = {key: tuple(value.shape) for key, value in build().state_dict().items()}
    except (ValueError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        raise WeightsError(f"{name} tells of a network that can't be: {error}", "make it again") from error
    faults = differences(state, wanted)
    if faults:
        raise WeightsError(f"the weights of {name} are not those of its design: {'; '.join(faults)}", "make it again")
    network = build()
    load_into(network, state, name)
    return network


def differences(given: Mapping[str, Tensor], wanted: Mapping[str, tuple[int, ...]]) -> list[str]:
    """How a state dict differs from names and shapes: counts and some names; empty where it does not.

    Counters of batch normalization may be missing.
    """
    missing = [key for key in wanted if key not in given and not key.endswith(_COUNTERS)]
    extra = [key for key in given if key not in wanted]
    shapes = [
        f"{key} is {tuple(given[key].shape)} instead of {shape}"
        for key, shape in wanted.items()
        if key in given and tuple(given[key].shape) != shape
    ]
    return [
        f"{len(keys)} {what} ({_some(keys)})"
        for what, keys in (("missing", missing), ("unexpected", extra), ("of another shape", shapes))
        if keys
    ]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
