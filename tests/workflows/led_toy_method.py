"""A trainable method that is led by pixels and learned in a moment."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from tests.workflows.toy_method import Toy

from retarget_cli.backends.base import Spec

PLACES = {"led-toy": "tests.workflows.led_toy_method:LedToy"}


class LedToy(Toy):
    """The toy, for pictures of anything."""

    spec: ClassVar[Spec] = replace(Toy.spec, is_led_by_pixels=True)
