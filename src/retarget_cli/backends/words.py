"""Words that `--set` and weights files share: those that mean the same for every method, and how words are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from retarget_cli.core.errors import UsageError

# Every trainable backend has this option: a file or name of weights, those that come along, or none at all.
WEIGHTS_OPTION = "weights"
BASE, UNTRAINED = "base", "none"
# As the weights have it.
AUTO = "auto"
YES, NO = "yes", "no"
ON, OFF = "on", "off"
# In which frames are made.
FULL, HALF = "fp32", "bf16"

Words = Mapping[str, str]
"""`name -> value`, as `--set` has them."""

Word = TypeVar("Word", bound=str)

# Of a word that may come from a damaged file, so much is shown; no number is longer.
_SHOWN = 20


def among(name: str, value: str, known: Sequence[str]) -> None:
    """Check an option that has a few values.

    Raises:
        UsageError: it is none of them.
    """
    if value not in known:
        raise UsageError(f"--set {name}={value}: unknown", f"one of {', '.join(known)}")


def within(name: str, value: int, least: int, most: int, unsaid: int | None = None) -> None:
    """Check an option that is a number, `least` to `most`; or `unsaid`, which leaves it to the weights.

    Raises:
        UsageError: it is out of bounds.
    """
    if value != unsaid and not least <= value <= most:
        otherwise = "" if unsaid is None else f"; {unsaid}: as the weights have it"
        raise UsageError(f"--set {name}={value}: out of bounds", f"{least} to {most}{otherwise}")


def at_least(name: str, value: float, least: int) -> None:
    """Check an option that may be any finite number from `least` on.

    Raises:
        UsageError: it is less, or no such number.
    """
    if not least <= value < float("inf"):
        raise UsageError(f"--set {name}={value}: must be {least} or more")


def spoken(values: Mapping[str, str | int], unsaid: int = 0) -> dict[str, str]:
    """Of options what was said: all but `auto`, and the number that leaves it to the weights."""
    return {name: str(value) for name, value in values.items() if value not in (AUTO, unsaid)}


def settled(said: Words, usual: Words, known: Words | None, command: str, free: Sequence[str] = ()) -> dict[str, str]:
    """A design: the weights' where there are any, else as said, else as usual.

    Args:
        said: what the user has said.
        usual: all words, where nobody says anything; weights that are silent about one are of this.
        known: the design that lies in a weights file, or None.
        command: by which others are trained; for the message.
        free: what may be said otherwise of weights that are there: it is no matter of their form.

    Raises:
        UsageError: what is said contradicts the weights.
    """
    held = {**usual, **(known or {})}
    for name, value in said.items():
        if known is not None and name not in free and held.get(name) != value:
            raise UsageError(
                f"--set {name}={value}: the weights are of {name}={held.get(name)}",
                f"leave the option out, or train others with `{command}`",
            )
    chosen = {name: value for name, value in said.items() if name in free}
    return {**usual, **said, **(known or {}), **chosen}


def number(words: Words, name: str, least: int, most: int) -> int:
    """A number among the words of a design.

    Raises:
        ValueError: it is none, or out of bounds.
        KeyError: there is no such word.
    """
    text = words[name]
    if not text.isdecimal() or len(text) > _SHOWN or not least <= int(text) <= most:
        raise ValueError(f"{name}={text[:_SHOWN]}, expected {least} to {most}")
    return int(text)


def choice(words: Words, name: str, known: Sequence[Word]) -> Word:
    """One of a few, among the words of a design; raises as `number` does."""
    found = next((each for each in known if each == words[name]), None)
    if found is None:
        raise ValueError(f"{name}={words[name][:_SHOWN]}, expected one of {', '.join(known)}")
    return found


def is_so(words: Words, name: str) -> bool:
    """Whether a word of a design is yes, and not no; raises as `number` does."""
    return _is_first(words, name, YES, NO)


def is_on(words: Words, name: str) -> bool:
    """Whether a word of a design is on, and not off; raises as `number` does."""
    return _is_first(words, name, ON, OFF)


def yes_or_no(holds: bool) -> str:
    """The word that `is_so` reads."""
    return YES if holds else NO


def _is_first(words: Words, name: str, first: str, second: str) -> bool:
    if words[name] not in (first, second):
        raise ValueError(f"{name}={words[name][:_SHOWN]}, expected {first} or {second}")
    return words[name] == first
