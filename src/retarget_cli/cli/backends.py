"""`retarget backends`."""

from __future__ import annotations

from typing import Annotated

import typer

from retarget_cli.cli.running import running


def backends(
    name: Annotated[str | None, typer.Argument(help="Show the options of this one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks.")] = False,
) -> None:
    """List the methods: what each needs, its weights and licence, and whether it is ready to run."""
    with running(as_json=as_json, debug=debug) as screen:
        from retarget_cli.backends.registry import backend_class, known_backends, option_help

        names = sorted(known_backends()) if name is None else [name]
        rows: dict[str, object] = {}
        lines: list[str] = []
        for each in names:
            found = backend_class(each)
            spec = found.spec
            options = option_help(found.options)
            needs = sorted(signal.value for signal in spec.needs)
            weights = ", ".join(spec.weights) or "none"
            ready = "not ready: its weights are missing" if spec.weights else "ready"
            rows[each] = {
                "summary": spec.summary,
                "needs": needs,
                "weights": list(spec.weights),
                "license": spec.license,
                "paper": spec.paper,
                "ready": not spec.weights,
                "options": {key: {"default": default, "help": text} for key, (default, text) in options.items()},
            }
            lines.append(f"{each}: {spec.summary}")
            lines.append(f"    needs {', '.join(needs)}; weights: {weights}; licence: {spec.license}; {ready}")
            lines += [f"    --set {key}={default}    {text}" for key, (default, text) in options.items()]
        screen.result("\n".join(lines), {"backends": rows})
