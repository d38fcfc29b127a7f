"""Finds the answers of a study and the key that belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retarget_cli.core.errors import InputError
from retarget_cli.evaluation.study.key import Key
from retarget_cli.evaluation.study.results import StudyResult, read_results, study_of


def load_study(paths: Sequence[Path], near: Sequence[Path] = ()) -> StudyResult:
    """Read answers.

    Args:
        paths: CSV files, or folders of them.
        near: where else the key may lie; it is looked for beside the answers first.

    Raises:
        InputError: no answers, no key, or something is wrong with them.
    """
    csvs = [csv for path in paths for csv in _csvs(path)]
    studies = {csv: study_of(csv) for csv in csvs}
    names = sorted({name for name in studies.values() if name})
    if not names:
        raise InputError(f"{paths[0]}: no answers", "give the CSV files that the study's page saved")
    if len(names) > 1:
        raise InputError(f"answers of {len(names)} studies: {', '.join(names)}", "report one study at a time")
    key = _key(names[0], [*(csv.parent for csv in csvs), *near])
    return read_results([csv for csv, name in studies.items() if name], key)


def _csvs(path: Path) -> list[Path]:
    """A folder may hold the report's own tables as well."""
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("study-*.csv"))
    if not found:
        raise InputError(f"{path}: no study-*.csv in it", "give the CSV files that the study's page saved")
    return found


def _key(study: str, folders: Sequence[Path]) -> Key:
    for folder in dict.fromkeys(folder.resolve() for folder in folders):
        for path in (*sorted(folder.glob("*-key.json")), *sorted(folder.glob("*/*-key.json"))):
            try:
                key = Key.load(path)
            except InputError:  # of something else; if it is the one, it is missed below
                continue
            if key.study == study:
                return key
    raise InputError(
        f"no key of study {study}: {', '.join(dict.fromkeys(map(str, folders)))}",
        "put the study's -key.json file beside the answers",
    )
