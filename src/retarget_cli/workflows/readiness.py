"""Which backends there are, and whether each could run now."""

from __future__ import annotations

from dataclasses import dataclass, field

from retarget_cli.backends.registry import backend_class, known_backends, option_help
from retarget_cli.core.errors import BackendError, WeightsError
from retarget_cli.weights.catalog import CATALOG
from retarget_cli.weights.checkpoints import find_weights
from retarget_cli.weights.store import default_store


@dataclass(frozen=True, slots=True)
class Readiness:
    """One backend; all but its name is empty where its module can't be imported.

    Attributes:
        name: as for --backend.
        is_ready: whether it could run now.
        reason: why not.
        summary, license, paper: see `Spec`.
        weights: keys of the catalog, and names of backends whose base weights are needed.
        needs: names of the signals that perception estimates for it.
        options: `name -> (default, description)`.
    """

    name: str
    is_ready: bool
    reason: str = ""
    summary: str = ""
    needs: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    license: str = ""
    paper: str = ""
    options: dict[str, tuple[str, str]] = field(default_factory=dict)


def backend_readiness(name: str) -> Readiness:
    """Look at one backend; what keeps it from running is told, not raised.

    Raises:
        UsageError: there is none of this name.
    """
    try:
        found = backend_class(name)
    except BackendError as error:
        return Readiness(name, False, f"{error.message}; {error.hint}")
    spec = found.spec
    reason = next(filter(None, map(_why_missing, spec.weights)), "")
    return Readiness(
        name,
        is_ready=not reason,
        reason=reason,
        summary=spec.summary,
        needs=tuple(sorted(signal.value for signal in spec.needs)),
        weights=spec.weights,
        license=spec.license,
        paper=spec.paper,
        options=option_help(found.options),
    )


def _why_missing(weights: str) -> str:
    """Why weights that a backend names are not there; empty where they are."""
    try:
        if weights in CATALOG:
            default_store().good(weights)
        else:
            find_weights(weights)
    except WeightsError as error:
        return error.message
    return ""


def all_backends() -> list[Readiness]:
    """Every known backend, by name."""
    return [backend_readiness(name) for name in sorted(known_backends())]
