"""What people answered: shares with their intervals."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from retarget_cli.core.errors import InputError
from retarget_cli.evaluation.statistics import proportion
from retarget_cli.evaluation.study.key import PAIRS, TRUTH, Key

COLUMNS = ("study", "participant", "design", "number", "item", "left", "right", "answer", "seconds", "replays", "when")
NEEDED = ("study", "participant", "design", "item", "left", "right", "answer")
ANSWERS = {PAIRS: ("left", "right"), "single": ("yes", "no")}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one person; `left` and `right` are films, `right` is empty where there was one only."""

    participant: str
    design: str
    item: str
    left: str
    right: str
    answer: str


@dataclass(frozen=True, slots=True)
class Share:
    """Of all answers, with Wilson's 95 % interval."""

    successes: int
    trials: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Preference:
    """How often `first` was found more real than `second`."""

    first: str
    second: str
    share: Share


@dataclass(frozen=True, slots=True)
class Reality:
    """How often a method's films were said to be real."""

    method: str
    share: Share


@dataclass(frozen=True, slots=True)
class StudyResult:
    """Both designs; either may be empty."""

    preferences: tuple[Preference, ...]
    reals: tuple[Reality, ...]
    participants: int
    answers: int

    @property
    def summary(self) -> str:
        """`3 participants, 60 answers`."""
        people = "1 participant" if self.participants == 1 else f"{self.participants} participants"
        return f"{people}, {self.answers} answers"


def percent(share: float) -> str:
    """One digit behind the point, as the papers have it."""
    return f"{100 * share:.1f} %"


def read_results(csvs: Sequence[Path], key: Key) -> StudyResult:
    """Read what the page exported.

    An answer that is in several files counts once.

    Raises:
        InputError: a file can't be read, belongs to another study, or contradicts itself; names file and line.
    """
    answers: dict[tuple[str, str], Answer] = {}
    for path in csvs:
        for line, answer in _answers(path, key):
            place = (answer.participant, answer.item)
            before = answers.setdefault(place, answer)
            if before != answer:
                raise InputError(
                    f"{path}:{line}: {answer.participant} answered question {answer.item} before, differently",
                    "give every person a name of their own",
                )
    found = list(answers.values())
    people = {answer.participant for answer in found}
    return StudyResult(tuple(_preferences(found, key)), tuple(_reals(found, key)), len(people), len(found))


def study_of(path: Path) -> str:
    """The name of the study that a CSV file belongs to; empty where it holds no answers.

    Raises:
        InputError: it can't be read, or is none of a study.
    """
    return next((row["study"] for _, row in _rows(path)), "")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by column)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            absent = [name for name in NEEDED if name not in header]
            if absent:
                raise InputError(f"{path}:1: no column `{absent[0]}`", "give the CSV that the study's page saved")
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise InputError(
                        f"{path}:{reader.line_num}: {len(cells)} cells, expected {len(header)}",
                        "save the file again from the study's page",
                    )
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "give the CSV that the study's page saved") from error
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not CSV: {error}", "save the file again") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8: {error.reason}", "save the file again from the study's page") from error


def _answers(path: Path, key: Key) -> Iterator[tuple[int, Answer]]:
    for line, row in _rows(path):
        fault = _fault(row, key)
        if fault:
            raise InputError(f"{path}:{line}: {fault}", "the file must be as the study's page saved it")
        yield line, Answer(*(row[name] for name in NEEDED[1:]))


def _fault(row: dict[str, str], key: Key) -> str:
    """What is wrong with a row; empty where nothing is."""
    if row["study"] != key.study:
        return f"an answer to study {row['study'] or '(none)'}, but the key is of {key.study}"
    if not row["participant"]:
        return "no participant"
    item = key.items.get(row["item"])
    if item is None:
        return f"question {row['item'] or '(none)'} is not in this study"
    if row["design"] != item.design:
        return f"question {row['item']} is of design {item.design}, not {row['design'] or '(none)'}"
    shown = [each for each in (row["left"], row["right"]) if each]
    if sorted(shown) != sorted(item.media):
        return f"question {row['item']} shows other films than {' and '.join(shown) or 'none'}"
    if row["answer"] not in ANSWERS[item.design]:
        return f"answer is {row['answer'] or '(none)'}, expected {' or '.join(ANSWERS[item.design])}"
    return ""


def _preferences(answers: Sequence[Answer], key: Key) -> Iterator[Preference]:
    wins: dict[tuple[str, str, str], int] = {}
    for answer in answers:
        if answer.design == PAIRS:
            chosen, other = answer.left, answer.right
            if answer.answer == "right":
                chosen, other = other, chosen
            medium = key.media[chosen]
            place = (medium.evaluation, medium.method, key.media[other].method)
            wins[place] = wins.get(place, 0) + 1
    for evaluation, methods in _methods(key).items():
        for first, second in combinations(methods, 2):
            ours, theirs = wins.get((evaluation, first, second), 0), wins.get((evaluation, second, first), 0)
            if ours + theirs:
                one, other = (_named(name, evaluation, key) for name in (first, second))
                yield Preference(one, other, _share(ours, ours + theirs))


def _reals(answers: Sequence[Answer], key: Key) -> Iterator[Reality]:
    singles = [answer for answer in answers if answer.design != PAIRS]
    for evaluation, methods in _methods(key).items():
        for method in methods:
            said = [
                each.answer == "yes"
                for each in singles
                if (key.media[each.left].evaluation, key.media[each.left].method) == (evaluation, method)
            ]
            if said:
                yield Reality(_named(method, evaluation, key), _share(sum(said), len(said)))


def _methods(key: Key) -> dict[str, list[str]]:
    """By evaluation, in the order of the key, the truth last."""
    found: dict[str, list[str]] = {}
    for medium in key.media.values():
        names = found.setdefault(medium.evaluation, [])
        if medium.method not in names:
            names.append(medium.method)
    return {evaluation: sorted(names, key=lambda name: (name == TRUTH, name)) for evaluation, names in found.items()}


def _named(method: str, evaluation: str, key: Key) -> str:
    """With the evaluation where there are several."""
    return method if len(_methods(key)) == 1 else f"{method} ({evaluation})"


def _share(successes: int, trials: int) -> Share:
    return Share(successes, trials, *proportion(successes, trials))
