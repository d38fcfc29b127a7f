"""What of a reference's appearance somebody takes over."""

from __future__ import annotations

from enum import Enum


class Parts(Enum):
    """Of the reference's clothes or looks; the head with its hair is always the subject's own.

    `UPPER`: what is worn on the trunk and the arms. `LOWER`: what is worn on the legs and feet, shoes too. `BODY`:
    both. Skin that the clothes leave bare keeps the subject's own colour. `ALL`: everything below the head as the
    reference shows it, the colour of its hands, arms and legs too: for gloves, body paint, a costume.
    """

    UPPER = "upper"
    LOWER = "lower"
    BODY = "body"
    ALL = "all"

    @property
    def has_upper(self) -> bool:
        return self is not Parts.LOWER

    @property
    def has_lower(self) -> bool:
        return self is not Parts.UPPER

    @property
    def keeps_skin(self) -> bool:
        """Whether bare skin stays the subject's own in colour."""
        return self is not Parts.ALL
