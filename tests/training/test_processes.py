"""Two processes learn what one does of both their batches."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.training.toy_game import batch_of, seeded_game

from retarget_cli.training.loop import Fit, FitOptions

STEPS, ACCUMULATE = 3, 2


def half(number: int, rank: int) -> dict[str, torch.Tensor]:
    return {name: each[2 * rank : 2 * rank + 2] for name, each in batch_of(number).items()}


def learn(rank: int, port: int, folder: str) -> None:
    """One of two processes; they talk over gloo."""
    torch.set_num_threads(1)
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    game = seeded_game(has_norm=False)
    if rank:  # the first one's weights count
        torch.nn.init.zeros_(next(game.players["generator"].parameters()))
    fit = Fit(game, FitOptions(STEPS, accumulate=ACCUMULATE, ema=0.9), torch.device("cpu"))
    assert fit.accelerator.num_processes == 2
    steps = list(fit.run(half(number, rank) for number in range(STEPS * ACCUMULATE)))
    assert fit.any(rank == 1)
    assert not fit.any(False)
    losses = torch.tensor([list(terms.values()) for step in steps for terms in step.losses.values()])
    networks = {name: each.contiguous() for name, each in fit.state().items() if name.startswith("network")}
    save_file({**networks, "losses": losses}, Path(folder) / f"{rank}.safetensors")
    torch.distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore")
def test_two_processes_are_one_with_the_joined_batch(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(learn, (port, str(tmp_path)), nprocs=2)
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    alone = Fit(seeded_game(has_norm=False), FitOptions(STEPS, accumulate=ACCUMULATE), torch.device("cpu"))
    steps = list(alone.run(batch_of(number) for number in range(STEPS * ACCUMULATE)))
    losses = torch.tensor([list(terms.values()) for step in steps for terms in step.losses.values()])
    torch.testing.assert_close(first["losses"], losses, rtol=1e-4, atol=1e-6)
    for name, each in alone.state().items():
        if name.startswith("network"):
            torch.testing.assert_close(first[name], each, rtol=1e-4, atol=1e-5)
