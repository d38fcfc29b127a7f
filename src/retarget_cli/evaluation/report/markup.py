"""HTML that can't be broken by what is put into it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

VOID = frozenset({"img", "br", "hr", "input", "meta", "link", "col"})


class Markup(str):
    """Text that is HTML already; any other text is escaped when it becomes content."""

    __slots__ = ()


Content = str | Iterable[str]


def content(*parts: Content) -> Markup:
    """Parts one after the other; those that are no markup yet are escaped."""
    return Markup("".join(_one(each) for part in parts for each in ([part] if isinstance(part, str) else part)))


def _one(part: str) -> str:
    return part if isinstance(part, Markup) else escape(part, quote=False)


def tag(name: str, *parts: Content, **attributes: str | int | bool | None) -> Markup:
    """An element.

    Args:
        name: of the element.
        parts: its content.
        attributes: `class_` and `for_` without their underscore, others with `-` for `_`; True stands alone, False
            and None are left out.
    """
    said = []
    for key, value in attributes.items():
        written = key.rstrip("_").replace("_", "-")
        if value is True:
            said.append(f" {written}")
        elif value is not False and value is not None:
            said.append(f' {written}="{escape(str(value))}"')
    start = f"<{name}{''.join(said)}>"
    return Markup(start if name in VOID else f"{start}{content(*parts)}</{name}>")


def data_block(name: str, data: Any) -> Markup:
    """JSON for the page's program: whatever texts it holds, they can't end the block or begin another."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(f'<script type="application/json" id="{name}">{text}</script>')


def filled(template: str, **parts: str) -> str:
    """A template with `{{name}}` replaced, in one pass: what was put in is not searched again."""
    out, rest = [], template
    while "{{" in rest:
        before, _, rest = rest.partition("{{")
        name, _, rest = rest.partition("}}")
        out += [before, parts[name.strip()]]
    return "".join([*out, rest])
