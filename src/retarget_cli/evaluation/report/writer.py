"""Writes all files of a report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from retarget_cli.core.progress import Progress, Silence
from retarget_cli.evaluation.report.csv_format import clips_csv_text, csv_text
from retarget_cli.evaluation.report.footage import Wanted, make_footage
from retarget_cli.evaluation.report.joining import FILE, Section, load_sections, relative_to
from retarget_cli.evaluation.report.markdown import markdown, study_markdown
from retarget_cli.evaluation.report.numbers import listed
from retarget_cli.evaluation.report.page import Gallery, page
from retarget_cli.evaluation.report.page_clips import article
from retarget_cli.evaluation.report.selection import MOST_CLIPS, by_clip, chosen_clips, sheet_frames, worst_frames
from retarget_cli.evaluation.study.files import load_study
from retarget_cli.evaluation.study.results import StudyResult
from retarget_cli.media.files import write_whole

LIST_FORMAT = "retarget-reports"
VIDEOS = 24


def write_report(
    runs: Sequence[Path],
    out: Path,
    study: Sequence[Path] = (),
    progress: Progress | None = None,
    max_videos: int = VIDEOS,
) -> list[Path]:
    """Write report.json, report.csv, clips.csv, report.md and report.html into a folder.

    Runs of one data set and protocol become one table, methods side by side; others become sections of their own.

    Args:
        runs: folders that hold a report.json.
        out: made if need be; may be the folder of the only run.
        study: CSV files that the page of `retarget eval study` gave, or folders of them.
        progress: told how many clips are done.
        max_videos: side-by-side films in the page, at most.

    Returns:
        What was written.

    Raises:
        InputError: a run has no report, or answers of a study can't be read.
        OutputError: a file can't be written.
    """
    progress = progress or Silence()
    sections = load_sections(runs)
    answers = load_study(study, [*runs, out]) if study else None
    galleries = _galleries(sections, max_videos, progress)
    texts = {
        FILE: _json(sections, out),
        "report.csv": csv_text(*(section.report for section in sections)),
        "clips.csv": clips_csv_text(*(section.report for section in sections)),
        "report.md": _markdown(sections, answers),
        "report.html": page(sections, galleries, answers),
    }
    return [write_whole(out / name, text.encode("utf-8")) for name, text in texts.items()]


def _json(sections: Sequence[Section], out: Path) -> str:
    data = [relative_to(section.report, out).data() for section in sections]
    whole = data[0] if len(data) == 1 else {"format": LIST_FORMAT, "format_version": 1, "reports": data}
    return json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _markdown(sections: Sequence[Section], answers: StudyResult | None) -> str:
    parts = [markdown(section.report, section.warnings) for section in sections]
    if answers is not None:
        parts.append(study_markdown(answers))
    return "\n".join(parts)


def _galleries(sections: Sequence[Section], max_videos: int, progress: Progress) -> list[Gallery]:
    """Pictures of all sections; one clip is worked on at a time."""
    shown = [chosen_clips(section.report, max(1, MOST_CLIPS // len(sections))) for section in sections]
    total, done = sum(map(len, shown)), 0
    galleries = []
    for number, section in enumerate(sections):
        share = max_videos * (number + 1) // len(sections) - max_videos * number // len(sections)
        galleries.append(_gallery(number, section, shown[number], share, progress, (done, total)))
        done += len(shown[number])
    return galleries


def _gallery(
    number: int, section: Section, shown: Sequence[int], videos: int, progress: Progress, counts: tuple[int, int]
) -> Gallery:
    report = section.report
    bad = worst_frames(report)
    wanted = _wanted(section, shown, videos, by_clip(bad))
    articles, thumbs, notes = [], {}, []
    done, total = counts
    progress.stage("pictures", done, total)
    for place in sorted(wanted):
        clip = report.clips[place]
        footage = make_footage(clip, wanted[place])
        thumbs.update({(place, method, index): uri for (method, index), uri in footage.thumbs.items()})
        notes += [f"{clip.name}: {problem}" for problem in footage.problems]
        if place in shown:
            articles.append(article(number, place, clip, footage))
            done += 1
            progress.stage("pictures", done, total)
    without = [report.clips[place].name for place in shown if not wanted[place].has_film]
    if without:
        notes.append(f"At most {videos} side-by-side videos were made; without one: {listed(without)}.")
    return Gallery(tuple(articles), tuple(shown), bad, thumbs, tuple(notes))


def _wanted(
    section: Section, shown: Sequence[int], videos: int, bad: Mapping[int, frozenset[tuple[str, int]]]
) -> dict[int, Wanted]:
    films = chosen_clips(section.report, videos, shown)
    return {
        place: Wanted(
            sheet_frames(section.report.clips[place]) if place in shown else (),
            bad.get(place, frozenset()),
            place in films,
        )
        for place in sorted({*shown, *bad})
    }
