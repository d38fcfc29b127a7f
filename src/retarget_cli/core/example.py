"""What one step of training learns from."""

from __future__ import annotations

from dataclasses import dataclass

from retarget_cli.core.subject import Image, Subject, View


@dataclass(frozen=True, slots=True)
class Example:
    """A person seen in some pictures, and once more.

    Attributes:
        subject: the person in the source views; `plate` is behind the first of them.
        target: the same person in another picture of the same canvas size: what is to be made.
        plate: (H, W, 3) uint8 behind the target's person; the subject's own where both were seen in one place.
    """

    subject: Subject
    target: View
    plate: Image
