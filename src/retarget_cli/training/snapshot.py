"""The state of a training as named tensors: what resuming needs, and nothing that could be executed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam

from retarget_cli.backends.trainable import Game
from retarget_cli.core.errors import WeightsError
from retarget_cli.training.average import Average

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
_HINT = "the run was of another method or other options: begin a new one"


def take_snapshot(
    game: Game, optimizers: Mapping[str, Adam], average: Average, number: int, scaler: Any
) -> dict[str, Tensor]:
    """Tensors by name; those of the networks are not copied.

    Args:
        scaler: of fp16 losses; None otherwise.
    """
    state = {"number": torch.tensor(number)}
    for player, network in game.players.items():
        state |= {f"network.{player}.{key}": value.detach() for key, value in network.state_dict().items()}
        for row, parameter in enumerate(_parameters(optimizers[player])):
            moments = optimizers[player].state.get(parameter, {})
            state |= {f"adam.{player}.{row}.{name}": moments[name] for name in _MOMENTS if name in moments}
    state |= {f"average.{key}": value for key, value in average.state().items()}
    state["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        state["random.cuda"] = torch.cuda.get_rng_state()
    if scaler is not None:
        kept = scaler.state_dict()
        state["scaler"] = torch.tensor([kept["scale"], kept["_growth_tracker"]], dtype=torch.float64)
    return state


def load_snapshot(
    state: Mapping[str, Tensor], game: Game, optimizers: Mapping[str, Adam], average: Average, scaler: Any
) -> int:
    """Put a snapshot back.

    Returns:
        The number of steps that were done.

    Raises:
        WeightsError: it is of other networks.
    """
    if "number" not in state:
        raise WeightsError("the checkpoint does not say how many steps were done", "it is another kind of file")
    for player, network in game.players.items():
        _fill(network.state_dict(), _below(state, f"network.{player}."), player)
        for row, parameter in enumerate(_parameters(optimizers[player])):
            moments = _below(state, f"adam.{player}.{row}.")
            if moments:
                optimizers[player].state[parameter] = _moments(parameter, moments, player)
    average.load_state(_below(state, "average."))
    torch.set_rng_state(state["random.cpu"].cpu())
    if torch.cuda.is_available() and "random.cuda" in state:
        torch.cuda.set_rng_state(state["random.cuda"].cpu())
    if scaler is not None and "scaler" in state:
        scale, tracker = state["scaler"].tolist()
        scaler.load_state_dict({**scaler.state_dict(), "scale": scale, "_growth_tracker": int(tracker)})
    return int(state["number"])


def _parameters(optimizer: Adam) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _below(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _fill(own: Mapping[str, Tensor], given: Mapping[str, Tensor], player: str) -> None:
    """Copy into a network's tensors; nothing is touched unless all fit."""
    odd = sorted(set(own) ^ set(given)) or [key for key in own if own[key].shape != given[key].shape]
    if odd:
        raise WeightsError(f"the checkpoint's {player} is another network: {', '.join(odd[:3])} differ", _HINT)
    for key, value in given.items():
        own[key].copy_(value)


def _moments(parameter: Tensor, given: Mapping[str, Tensor], player: str) -> dict[str, Tensor]:
    """Adam's state of a parameter, laid out in memory as Adam would."""
    if set(given) != set(_MOMENTS) or any(given[name].shape != parameter.shape for name in _MOMENTS[1:]):
        raise WeightsError(f"the checkpoint's optimizer of {player} does not fit its network", _HINT)
    laid = {
        name: torch.zeros_like(parameter, memory_format=torch.preserve_format).copy_(given[name])
        for name in _MOMENTS[1:]
    }
    return {"step": given["step"].cpu().clone(), **laid}
