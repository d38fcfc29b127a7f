"""`retarget eval score`: score what any tool has rendered, against the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import InputError, RetargetError, UsageError
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.evaluation.layouts.clips import clips_in, has_frames, is_film, stem
from retarget_cli.evaluation.recordings import Masks, Stream
from retarget_cli.evaluation.results import Clip, Report, Scored
from retarget_cli.evaluation.run_folder import RunFolder
from retarget_cli.evaluation.streams import facts, fitted_size
from retarget_cli.evaluation.summary import Setting, plain, summarise
from retarget_cli.media.picture_source import pictures_in
from retarget_cli.workflows.evaluate import Evaluation
from retarget_cli.workflows.judge import Judge, Trial, relative
from retarget_cli.workflows.machine import machine, program_version
from retarget_cli.workflows.measuring import Loaded, load_measures


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """Everything that a user can say about scoring.

    Attributes:
        rendered: by method name, a clip, a folder of frames, or a folder of either.
        target: the same, of the truth; clips are matched by name.
        output: the run's folder.
        source: pictures of the source persons, matched by name; or None.
        masks: folders of masks of the target's person, matched by name; or None.
        size: box, (height, width), that both are brought to with their aspect kept; None: the target's own size, and
            rendered frames must have it.
        stride: every `stride`th frame is scored.
        is_foreground: the target's background is blacked out.
        metrics, weights, device: as in `EvaluateOptions`.
        may_overwrite: begin anew in a folder that holds another run.
    """

    rendered: Mapping[str, Path]
    target: Path
    output: Path
    source: Path | None = None
    masks: Path | None = None
    size: tuple[int, int] | None = None
    stride: int = 1
    is_foreground: bool = False
    metrics: tuple[str, ...] = ("all",)
    weights: Path | None = None
    device: str = "auto"
    may_overwrite: bool = False


def parse_rendered(texts: Sequence[str]) -> dict[str, Path]:
    """`NAME=PATH` or a path, whose last part is the name then.

    Raises:
        UsageError: two of one name.
    """
    found: dict[str, Path] = {}
    for text in texts:
        name, sign, path = text.partition("=")
        if not sign or Path(text).exists():
            name, path = Path(text).resolve().name, text
        if name in found:
            raise UsageError(f"--rendered {text}: two methods are called {name}", "name them: --rendered mine=PATH")
        found[name] = Path(path)
    return found


def score_folders(options: ScoreOptions, progress: Progress | None = None) -> Evaluation:
    """Match, score, report.

    Raises:
        RetargetError: nothing can be measured at all; what goes wrong with single clips is in the report.
    """
    progress = progress or Silence()
    if options.stride < 1:
        raise UsageError(f"--stride {options.stride}: expected 1 or more")
    targets = items(options.target, "--target")
    rendered = {name: items(path, "--rendered") for name, path in options.rendered.items()}
    _join_lone(targets, rendered)
    _tell_unmatched(targets, rendered, progress)
    loaded = load_measures(options.metrics, options.weights, choose_device(options.device).device)
    folder = RunFolder.open(options.output, _settings(options), may_overwrite=options.may_overwrite)
    judge = Judge(loaded.measures, folder, options.stride, options.is_foreground)
    clips = []
    for number, (name, target) in enumerate(targets.items()):
        clips.append(_clip(name, target, rendered, options, judge, folder))
        progress.stage("evaluate", number + 1, len(targets))
    return Evaluation(folder.path, _report(options, loaded, folder, clips))


def items(path: Path, option: str) -> dict[str, Path]:
    """Clips by name: a clip, a folder of frames, or a folder of either.

    Raises:
        InputError: there are none.
    """
    if not path.exists():
        raise InputError(f"{option} {path}: there is no such file or folder", "give a clip or a folder of clips")
    clips = [path] if is_film(path) or has_frames(path) else clips_in(path)
    if not clips:
        raise InputError(f"{option} {path}: no clips in it", "give a clip, a folder of frames, or a folder of either")
    return {stem(clip): clip for clip in clips}


def _join_lone(targets: dict[str, Path], rendered: dict[str, dict[str, Path]]) -> None:
    """One clip and one target belong together, whatever they are called."""
    for name, found in rendered.items():
        if len(targets) == len(found) == 1:
            rendered[name] = {next(iter(targets)): next(iter(found.values()))}


def _tell_unmatched(targets: dict[str, Path], rendered: dict[str, dict[str, Path]], progress: Progress) -> None:
    for method, found in rendered.items():
        matched = [name for name in targets if name in found]
        if not matched:
            raise InputError(
                f"no clip of {method} has the name of a target: {_some(list(found))} against {_some(list(targets))}",
                "name rendered clips like the targets",
            )
        absent, extra = [n for n in targets if n not in found], [n for n in found if n not in targets]
        if absent:
            progress.note(f"{method}: no rendered clip for {len(absent)} of {len(targets)} targets: {_some(absent)}")
        if extra:
            progress.note(f"{method}: no target for {len(extra)} rendered clips, left out: {_some(extra)}")


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _clip(
    name: str,
    target: Path,
    rendered: dict[str, dict[str, Path]],
    options: ScoreOptions,
    judge: Judge,
    folder: RunFolder,
) -> Clip:
    sources = _beside(options.source, name)
    scores = {}
    for method, found in rendered.items():
        if name not in found:
            scores[method] = Scored(problem="no rendered clip of this name")
        elif judge.is_scored(method, name):
            scores[method] = folder.score(method, name) or Scored(problem="not scored")
        else:
            scores[method] = _scored(judge, method, name, found[name], target, sources, options)
    pictures = tuple(relative(path, folder.path) for path in sources)
    return Clip(name, pictures, "", relative(target, folder.path), scores)


def _scored(
    judge: Judge,
    method: str,
    name: str,
    rendered: Path,
    target: Path,
    sources: tuple[Path, ...],
    options: ScoreOptions,
) -> Scored:
    try:
        size = facts(Stream(target)).size
    except RetargetError as error:
        return Scored(problem=error.line)
    masks = None if options.masks is None else Masks(options.masks / name)
    return judge.score(
        Trial(
            method,
            name,
            Stream(rendered),
            Stream(target),
            masks,
            None,
            sources,
            size if options.size is None else fitted_size(size, options.size),
            is_resized=options.size is not None,
        )
    )


def _beside(folder: Path | None, name: str) -> tuple[Path, ...]:
    """Pictures of a clip's source person: files of its name, or all in a folder of its name."""
    if folder is None:
        return ()
    if (folder / name).is_dir():
        return tuple(pictures_in(folder / name))
    return tuple(path for path in pictures_in(folder) if path.stem == name)


def _settings(options: ScoreOptions) -> dict[str, object]:
    return {
        "kind": "score",
        "rendered": {name: str(path.resolve()) for name, path in options.rendered.items()},
        "target": str(options.target.resolve()),
        "size": options.size and list(options.size),
        "stride": options.stride,
        "foreground": options.is_foreground,
        "version": program_version(),
    }


def _report(options: ScoreOptions, loaded: Loaded, folder: RunFolder, clips: list[Clip]) -> Report:
    conditions = {"task": "score", "size": options.size, "stride": options.stride, "foreground": options.is_foreground}
    setting = Setting(
        f"{', '.join(options.rendered)} against {options.target.name}",
        program_version(),
        machine(),
        {"name": options.target.resolve().name, "layout": "folders", "clips": len(clips)},
        plain(conditions),
        loaded.infos,
        loaded.missing,
        {name: {"rendered": path.name} for name, path in options.rendered.items()},
    )
    return summarise(setting, folder, clips)
