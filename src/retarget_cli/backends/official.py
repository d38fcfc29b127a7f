"""Released checkpoints that backends can take: where each method's forms are described.

A module is imported only when something is to be imported. Other packages add theirs by entry points of `GROUP`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points

from retarget_cli.core.errors import BackendError
from retarget_cli.weights.importing import Recogniser

BUILT_IN: Mapping[str, str] = {
    "parsing": "retarget_cli.perception.trained_parsing:recognisers",
    "liquid-warp": "retarget_cli.backends.liquid_warp.official:recognisers",
    "pose2video": "retarget_cli.backends.pose2video.official:recognisers",
    "self-appearance": "retarget_cli.backends.self_appearance.official:recognisers",
}
"""`backend -> "module:function"`; the function gives the method's recognisers."""
GROUP = "retarget.official"


def recognisers() -> tuple[Recogniser, ...]:
    """Every form of checkpoint that is known.

    Raises:
        BackendError: a module can't be imported.
    """
    plugins = {point.name: point.value for point in entry_points(group=GROUP)}
    found: list[Recogniser] = []
    for backend, place in {**plugins, **BUILT_IN}.items():
        module, _, function = place.partition(":")
        try:
            found += getattr(import_module(module), function)()
        except (ImportError, AttributeError) as error:
            raise BackendError(
                f"the checkpoints of {backend} can't be recognised: {error}", "reinstall what it comes from"
            ) from error
    return tuple(found)
