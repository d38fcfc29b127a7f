"""One process or many, on the CPU or on GPUs, in one precision: accelerate, as the loop needs it."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Literal

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs

from retarget_cli.core.errors import UsageError

# The first process may have to look at many clips before the others can begin.
_PATIENCE = timedelta(days=2)

Precision = Literal["fp32", "bf16", "fp16"]


def open_accelerator(device: torch.device, precision: Precision) -> Accelerator:
    """What places networks and makes their gradients agree.

    Alone, everything happens on `device`. Under `torchrun` or `accelerate launch` each process has the device that
    these give it; `device` says only whether the CPU was asked for.

    Raises:
        UsageError: fp16 on a CPU.
    """
    if precision == "fp16" and device.type != "cuda":
        raise UsageError(f"--precision fp16 needs a CUDA device, not {device.type}", "use fp32 or bf16")
    _forget_earlier()
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    # A loss may leave some parameters of a player out, such as those of a stream that is not asked for.
    spread = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(
        cpu=device.type == "cpu",
        mixed_precision="no" if precision == "fp32" else precision,
        kwargs_handlers=[spread, InitProcessGroupKwargs(timeout=_PATIENCE)],
    )


def _forget_earlier() -> None:
    """Let one process train first with one precision or device and then with another.

    accelerate keeps both for the whole process. Processes that were joined stay joined.
    """
    is_joined = torch.distributed.is_available() and torch.distributed.is_initialized()
    if AcceleratorState._shared_state or PartialState._shared_state:
        AcceleratorState._reset_state(reset_partial_state=not is_joined)


def is_first_process() -> bool:
    """Whether this is the process that writes; known before an accelerator is opened."""
    return int(os.environ.get("RANK", "0")) == 0
