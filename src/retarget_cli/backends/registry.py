"""Names of backends and how they are found; a backend is imported only when it is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from itertools import pairwise
from typing import TYPE_CHECKING, get_type_hints

from retarget_cli.core.errors import BackendError, UsageError

if TYPE_CHECKING:
    import torch

    from retarget_cli.backends.base import Backend

BUILT_IN: Mapping[str, str] = {
    "avatar": "retarget_cli.backends.avatar.backend:Avatar",
    "bottleneck": "retarget_cli.backends.bottleneck.backend:BottleneckBackend",
    "liquid-warp": "retarget_cli.backends.liquid_warp.backend:LiquidWarp",
    "pose2video": "retarget_cli.backends.pose2video.backend:Pose2VideoBackend",
    "remot": "retarget_cli.backends.remot.backend:RemotBackend",
    "still": "retarget_cli.backends.still.backend:Still",
    "first-order": "retarget_cli.backends.self_appearance.backend:FirstOrderBackend",
    "articulated": "retarget_cli.backends.self_appearance.backend:ArticulatedBackend",
    "self-appearance": "retarget_cli.backends.self_appearance.backend:SelfAppearanceBackend",
}
GROUP = "retarget.backends"
DEFAULT = "avatar"


def known_backends() -> dict[str, str]:
    """`name -> "module:Class"`: the project's own, and those that other packages bring by entry points."""
    plugins = {point.name: point.value for point in entry_points(group=GROUP)}
    return {**plugins, **BUILT_IN}


def backend_class(name: str) -> type[Backend]:
    """The class of a backend.

    Raises:
        UsageError: there is none of this name.
        BackendError: its module can't be imported, or is no backend.
    """
    from retarget_cli.backends.base import Backend

    known = known_backends()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"--backend {name}: unknown", f"{guess}known: {', '.join(sorted(known))}")
    module, _, attribute = known[name].partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise BackendError(
            f"backend {name} can't be imported: {error}", "reinstall what it comes from"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Backend)):
        raise BackendError(
            f"backend {name} ({known[name]}) is not a Backend", "it must subclass backends.base.Backend"
        )
    return found


def make_backend(name: str, settings: Mapping[str, str], device: torch.device) -> Backend:
    """A backend with options given as text (`--set name=value`).

    Raises:
        UsageError: an unknown option, or a value of another type.
    """
    chosen = backend_class(name)
    return chosen(parse_options(name, chosen.options, settings), device)


def parse_options(backend: str, options: type, settings: Mapping[str, str]) -> object:
    """An instance of the frozen dataclass `options`, its fields parsed by their types."""
    hints = get_type_hints(options)
    known = [field.name for field in fields(options)]
    values: dict[str, object] = {}
    for name, text in settings.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            choices = ", ".join(known) if known else "none"
            raise UsageError(f"--set {name}: {backend} has no such option", f"{guess}options: {choices}")
        values[name] = _parsed(name, text, hints[name])
    return options(**values)


def _parsed(name: str, text: str, kind: type) -> object:
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in words:
            raise UsageError(f"--set {name}={text}: expected true or false")
        return words[text.lower()]
    try:
        return kind(text)
    except ValueError as error:
        raise UsageError(f"--set {name}={text}: expected {kind.__name__}") from error


def option_help(options: type) -> dict[str, tuple[str, str]]:
    """`name -> (default, description)`; the description is the docstring under the field, its own or inherited."""
    texts: dict[str, str] = {}
    for kind in reversed([kind for kind in options.__mro__ if is_dataclass(kind)]):
        texts.update(_field_texts(kind))
    shown = {}
    for field in fields(options):
        default = "" if field.default is MISSING else str(field.default)
        shown[field.name] = (default, texts.get(field.name, ""))
    return shown


def _field_texts(options: type) -> dict[str, str]:
    """What stands under the fields of one class."""
    import ast
    import inspect
    import textwrap

    tree = ast.parse(textwrap.dedent(inspect.getsource(options))).body[0]
    texts: dict[str, str] = {}
    for statement, after in pairwise(getattr(tree, "body", [])):
        is_field = isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        if is_field and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            texts[statement.target.id] = str(after.value.value)
    return texts
