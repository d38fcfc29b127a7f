"""Methods of a run that are tuned to a case's person: to its source pictures in the run, or by the user before it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.trainable import Trainable
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.progress import Progress
from retarget_cli.evaluation.run_folder import RunFolder
from retarget_cli.media.kinds import SUBJECT
from retarget_cli.perception.cache import Cache, content_hash
from retarget_cli.workflows.lesson import LessonOptions
from retarget_cli.workflows.personalize import PersonalizeOptions, personalize, trainable_class
from retarget_cli.workflows.subject_file import load_subject

# The words of a method's options that are no options of its backend.
WORD, SUBJECT_WORD = "personalize", "subject"


@dataclass(frozen=True, slots=True)
class Method:
    """A backend with its options, and what it is called.

    Attributes:
        name: as the user wrote it.
        backend: of the registry.
        settings: its options as text.
        steps: of personalisation to each case's source pictures; 0: none.
        subject: a subject file, or a folder of them, one of each case's name; None: there is none.
    """

    name: str
    backend: str
    settings: tuple[tuple[str, str], ...]
    steps: int = 0
    subject: Path | None = None

    @property
    def said(self) -> str:
        """Its options for people."""
        words = [f"{name}={value}" for name, value in self.settings]
        words += [f"{WORD}={self.steps}"] if self.steps else []
        words += [f"{SUBJECT_WORD}={self.subject.name}"] if self.subject else []
        return ", ".join(words) or "defaults"

    def tuned(self, case: str) -> Path | None:
        """The subject file of a case that the user has made; None: there is none to be.

        Raises:
            InputError: the folder has none of the case's name.
        """
        if self.subject is None or not self.subject.is_dir():
            return self.subject
        path = self.subject / f"{case}{SUBJECT}"
        if not path.is_file():
            raise InputError(f"{path}: there is no such file", "name each subject file as its clip is named")
        return path


def parse_method(text: str) -> Method:
    """`avatar`, `avatar:nodes=200,samples=1`, `liquid-warp:personalize=100`, `pose2video:subject=me.subject`.

    Raises:
        UsageError: an option without a value, no number of steps, or two ways to tune it.
    """
    backend, _, rest = text.partition(":")
    settings, steps, subject = [], 0, None
    for part in filter(None, rest.split(",")):
        name, sign, value = (word.strip() for word in part.partition("="))
        if not sign:
            raise UsageError(f"--backend {text}: {part} has no value", "write it as avatar:nodes=200,samples=1")
        if name == WORD:
            if not value.isdecimal() or int(value) < 1:
                raise UsageError(f"--backend {text}: {part} is no number of steps", f"write it as {WORD}=100")
            steps = int(value)
        elif name == SUBJECT_WORD:
            subject = Path(value).expanduser()
        else:
            settings.append((name, value))
    if steps and subject is not None:
        raise UsageError(f"--backend {text}: a subject file is tuned already", f"leave out {WORD}={steps}")
    return Method(text, backend, tuple(settings), steps, subject)


def check_method(method: Method, device: torch.device) -> None:
    """A wrong name or option shows now, not after an hour.

    Raises:
        RetargetError: what would fail with every case.
    """
    if method.subject is not None:
        _check_subject(method, method.subject)
        return
    if method.steps:
        trainable_class(method.backend)
    backend = make_backend(method.backend, dict(method.settings), device)
    if method.steps and isinstance(backend, Trainable):
        backend.design()  # a form of the method without a network has none


def _check_subject(method: Method, path: Path) -> None:
    trainable_class(method.backend)
    if path.is_dir():
        return
    if not path.is_file():
        raise InputError(f"--backend {method.name}: {path} does not exist", "make it with `retarget personalize`")
    made = load_subject(path).backend
    if made != method.backend:
        raise UsageError(f"--backend {method.name}: {path} was tuned with {made}", f"write it as {made}:subject={path}")


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
