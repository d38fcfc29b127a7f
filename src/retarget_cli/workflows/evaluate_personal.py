"""Methods of a run that are personalised to each case's source pictures before they render it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.trainable import Trainable
from retarget_cli.core.errors import UsageError
from retarget_cli.core.progress import Progress
from retarget_cli.evaluation.run_folder import RunFolder
from retarget_cli.perception.cache import Cache, content_hash
from retarget_cli.workflows.lesson import LessonOptions
from retarget_cli.workflows.personalize import PersonalizeOptions, personalize, trainable_class

# The word of a method's options that is no option of its backend.
WORD = "personalize"


@dataclass(frozen=True, slots=True)
class Method:
    """A backend with its options, and what it is called.

    Attributes:
        name: as the user wrote it.
        backend: of the registry.
        settings: its options as text.
        steps: of personalisation to each case's source pictures; 0: none.
    """

    name: str
    backend: str
    settings: tuple[tuple[str, str], ...]
    steps: int = 0

    @property
    def said(self) -> str:
        """Its options for people."""
        words = [f"{name}={value}" for name, value in self.settings]
        return ", ".join([*words, *([f"{WORD}={self.steps}"] if self.steps else [])]) or "defaults"


def parse_method(text: str) -> Method:
    """`avatar`, `avatar:nodes=200,samples=1`, `liquid-warp:personalize=100`.

    Raises:
        UsageError: an option without a value, or no number of steps.
    """
    backend, _, rest = text.partition(":")
    settings, steps = [], 0
    for part in filter(None, rest.split(",")):
        name, sign, value = (word.strip() for word in part.partition("="))
        if not sign:
            raise UsageError(f"--backend {text}: {part} has no value", "write it as avatar:nodes=200,samples=1")
        if name == WORD:
            if not value.isdecimal() or int(value) < 1:
                raise UsageError(f"--backend {text}: {part} is no number of steps", f"write it as {WORD}=100")
            steps = int(value)
        else:
            settings.append((name, value))
    return Method(text, backend, tuple(settings), steps)


def check_method(method: Method, device: torch.device) -> None:
    """A wrong name or option shows now, not after an hour.

    Raises:
        RetargetError: what would fail with every case.
    """
    if method.steps:
        trainable_class(method.backend)
    backend = make_backend(method.backend, dict(method.settings), device)
    if method.steps and isinstance(backend, Trainable):
        backend.design()  # a form of the method without a network has none


def personal_file(
    method: Method,
    pictures: Sequence[Path],
    size: tuple[int, int],
    device: str,
    folder: RunFolder,
    cache: Cache | None,
    progress: Progress,
) -> Path:
    """The subject file of a case's source pictures; cases that share them share it, and a stopped run goes on in it.

    Args:
        method: with steps.
        pictures: of the source person.
        size: (height, width) of the case.
        device: auto, cpu, cuda, mps.
        folder: of the run.
        cache: of perception.
        progress: told of every step.

    Raises:
        RetargetError: it can't be made.
    """
    words = [f"{size[1]}x{size[0]}", *map(content_hash, pictures)]
    path = folder.subject(method.name, hashlib.sha256(" ".join(words).encode()).hexdigest()[:16])
    if not path.is_file():
        options = PersonalizeOptions(
            tuple(map(str, pictures)),
            str(path).replace("{", "{{").replace("}", "}}"),
            method.backend,
            method.settings,
            LessonOptions(method.steps),
            words[0],
            device=device,
        )
        personalize(options, cache, progress)
    return path
