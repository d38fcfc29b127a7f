"""`retarget backends`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from retarget_cli.cli.running import running
from retarget_cli.cli.tables import table

if TYPE_CHECKING:
    from retarget_cli.workflows.readiness import Readiness


def backends(
    name: Annotated[str | None, typer.Argument(help="Show this one, with its options.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks.")] = False,
) -> None:
    """List the methods: what each needs, its weights and licence, and whether it is ready to run."""
    with running(as_json=as_json, debug=debug) as screen:
        from retarget_cli.workflows.readiness import all_backends, backend_readiness

        found = all_backends() if name is None else [backend_readiness(name)]
        text = overview(found) if name is None else details(found[0])
        screen.result(text, {"backends": {item.name: as_data(item) for item in found}})


def overview(found: list[Readiness]) -> str:
    """A row each."""
    rows = [
        (item.name, item.summary, ", ".join(item.needs), weights(item), item.license, state(item)) for item in found
    ]
    return table(("backend", "what it is", "needs", "weights", "licence", "ready"), rows)


def details(item: Readiness) -> str:
    """All that is known of one, and its options."""
    facts = {
        "ready": state(item),
        "needs": ", ".join(item.needs) or "nothing",
        "weights": weights(item),
        "licence": item.license or "not told",
        "paper": item.paper,
    }
    lines = [f"{item.name}: {item.summary}", *(f"{key}: {value}" for key, value in facts.items() if value)]
    if item.options:
        rows = [(key, default, text) for key, (default, text) in item.options.items()]
        lines += ["", table(("--set", "default", "what it does"), rows)]
    return "\n".join(lines)


def weights(item: Readiness) -> str:
    """Names of what must be downloaded."""
    return ", ".join(item.weights) or "none"


def state(item: Readiness) -> str:
    """Ready, or why not."""
    return "yes" if item.is_ready else f"no: {item.reason}"


def as_data(item: Readiness) -> dict[str, object]:
    """One backend as JSON types."""
    return {
        "summary": item.summary,
        "needs": list(item.needs),
        "weights": list(item.weights),
        "license": item.license,
        "paper": item.paper,
        "ready": item.is_ready,
        "reason": item.reason,
        "options": {key: {"default": default, "help": text} for key, (default, text) in item.options.items()},
    }
