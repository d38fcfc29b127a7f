"""Motion evolution (paper, 3.1, eq. 4): dT/dt = F_E(T, t), from the coarse motion T(0) to the motion T(1) that warps.

The paper leaves the solver, the layers of F_E and the way time enters open. Here F_E is three convolutions with tanh,
which sees t as a further channel; its last layer begins at zero: untrained, an evolution changes nothing. Beyond the
letter of eq. 4 it may see a context, the same at every t: the features that T(0) was read from. A field alone does not
show what it moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint

from retarget_cli.core.errors import UsageError

Solver = Literal["off", "euler", "midpoint", "rk4", "dopri5"]
SOLVERS: tuple[Solver, ...] = get_args(Solver)
HIDDEN = 32


@dataclass(frozen=True, slots=True)
class EvolutionOptions:
    """How eq. 4 is integrated.

    Attributes:
        solver: `off` takes T(0) for T(1), as the works do that the paper comes from; all but dopri5 have fixed steps.
        steps: of a solver with fixed steps, from t = 0 to 1.
        tolerance: relative and absolute, of dopri5.
        has_adjoint: gradients come from the adjoint equation, with memory that does not grow with the steps.
    """

    solver: Solver = "rk4"
    steps: int = 4
    tolerance: float = 1e-4
    has_adjoint: bool = False

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise UsageError(f"evolution={self.solver}: expected one of {', '.join(SOLVERS)}")
        if not 1 <= self.steps <= 64:
            raise UsageError(f"evolution_steps={self.steps}: expected 1 to 64")
        if not 0 < self.tolerance < 1:
            raise UsageError(f"evolution_tolerance={self.tolerance}: expected between 0 and 1")


class FlowChange(nn.Module):
    """F_E: how a motion changes at a time.

    Args:
        context: channels of what it sees beside motion and time; 0: nothing.
        hidden: channels.
    """

    def __init__(self, context: int = 0, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.context = nn.Conv2d(context, hidden, 3, padding=1) if context else None
        self.first = nn.Conv2d(3, hidden, 3, padding=1)
        self.second = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.last = nn.Conv2d(hidden, 2, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def told(self, features: Tensor) -> Tensor:
        """(B, hidden, h, w): what a context (B, C, h, w) says to every moment."""
        assert self.context is not None
        told: Tensor = self.context(features)
        return told

    def forward(self, time: Tensor, motion: Tensor, told: Tensor | None = None) -> Tensor:
        """(B, 2, h, w) of a motion (B, 2, h, w) at a time in [0, 1], a scalar."""
        clock = torch.ones_like(motion[:, :1]) * time
        hidden = self.first(torch.cat([motion, clock], 1))
        hidden = torch.tanh(hidden if told is None else hidden + told)
        return self.last(torch.tanh(self.second(hidden)))


class _Carried(nn.Module):
    """The motion changes, and what it is told is carried along unchanged: so the adjoint gives gradients of both."""

    def __init__(self, change: FlowChange) -> None:
        super().__init__()
        self.change = change

    def forward(self, time: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        motion, told = state
        return self.change(time, motion, told), torch.zeros_like(told)


class Evolution(nn.Module):
    """From T(0) to T(1).

    Args:
        options: how.
        context: channels of the features that F_E sees; 0: none.
    """

    def __init__(self, options: EvolutionOptions, context: int = 0) -> None:
        super().__init__()
        self.options = options
        self.change = FlowChange(context)

    def forward(self, motion: Tensor, features: Tensor | None = None) -> Tensor:
        """T(1), (B, 2, h, w), of T(0).

        Args:
            motion: T(0).
            features: (B, C, h, w), the context, where it has one.

        Convention:
            Displacements, on the driving lattice, pointing into the source, in half widths and heights of the picture.
        """
        options = self.options
        if options.solver == "off":
            return motion
        span = motion.new_tensor([0.0, 1.0])
        told: dict[str, object] = (
            {"rtol": options.tolerance, "atol": options.tolerance}
            if options.solver == "dopri5"
            else {"options": {"step_size": 1 / options.steps}}
        )
        integrate = odeint_adjoint if options.has_adjoint else odeint
        evolved: Tensor
        if self.change.context is None or features is None:
            evolved = integrate(self.change, motion, span, method=options.solver, **told)[-1]
        else:
            state = (motion, self.change.told(features))
            evolved = integrate(_Carried(self.change), state, span, method=options.solver, **told)[0][-1]
        return evolved
