"""What a run of an evaluation found, as it stands in `report.json`.

Numbers that mean nothing (no frames, an infinite PSNR's interval, a metric that could not run) are None, never NaN:
JSON has no NaN.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retarget_cli.core.errors import InputError
from retarget_cli.metrics.base import Info
from retarget_cli.metrics.registry import Missing

FORMAT, VERSION = "retarget-report", 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over clips with its 95 % interval.

    Attributes:
        mean: of the clips' means; for a distance of sets, the distance.
        low, high: bootstrap interval over clips; None with fewer than two clips, and for distances of sets.
        clips, frames: how many went in.
    """

    mean: float | None
    low: float | None = None
    high: float | None = None
    clips: int = 0
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """`first` minus `second` in one metric, paired by clip."""

    first: str
    second: str
    metric: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Scored:
    """One method on one clip.

    Attributes:
        means: by metric key; over the clip's frames that have a value.
        frames: by metric key, a value (or None) for each of `indices`.
        indices: which frames of the clip were scored.
        size: (height, width) at which they were scored.
        codec: what the rendered frames went through before they were scored: `png (lossless)`, `h264 (lossy)`, ...
        seconds: that rendering took; None where we did not render.
        problem: why there is no result; empty where there is one.
        notes: what else must be known.
        media: the rendered frames: a folder or a clip; relative to the run's folder where it lies inside.
    """

    means: Mapping[str, float | None] = field(default_factory=dict)
    frames: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    indices: tuple[int, ...] = ()
    size: tuple[int, int] = (0, 0)
    codec: str = ""
    seconds: float | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    media: str = ""


@dataclass(frozen=True, slots=True)
class Clip:
    """One case of the protocol, with what every method made of it.

    Attributes:
        name: unique in the run.
        source: pictures of the source person.
        driving, target: a folder of frames or a clip; empty where there is none.
        methods: by method name.
        first: which frame of `driving` and `target` is the first that counts; rendered frames begin at 0.
    """

    name: str
    source: tuple[str, ...]
    driving: str
    target: str
    methods: Mapping[str, Scored]
    first: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a table, a plot or another program needs.

    Attributes:
        title: what was measured, in a line.
        created: ISO 8601, UTC.
        version: of retarget.
        machine: in words.
        dataset: name, layout, number of clips and so on; texts and numbers.
        protocol: name, sources, seed, stride and so on; texts and numbers.
        pixels: colour range and order, size rule, in a line.
        metrics: that ran.
        missing: metrics that did not.
        methods: by name, what it was: backend, options, version, device; texts.
        overall: by method, by metric.
        differences: of every two methods.
        clips: in order.
    """

    title: str
    created: str
    version: str
    machine: str
    dataset: Mapping[str, str | int | float]
    protocol: Mapping[str, str | int | float]
    pixels: str
    metrics: tuple[Info, ...]
    missing: tuple[Missing, ...]
    methods: Mapping[str, Mapping[str, str]]
    overall: Mapping[str, Mapping[str, Estimate]]
    differences: tuple[Difference, ...]
    clips: tuple[Clip, ...]

    def data(self) -> dict[str, Any]:
        """JSON types."""
        return {"format": FORMAT, "format_version": VERSION, **asdict(self)}

    @staticmethod
    def load(path: Path) -> Report:
        """Read a `report.json`.

        Raises:
            InputError: it is none, or of a newer version.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}", "give the folder of a run of `retarget eval`") from error
        except ValueError as error:
            raise InputError(f"{path}: not a report: {error}", "make it again with `retarget eval`") from error
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise InputError(f"{path}: not a report of `retarget eval`", "give the folder of a run")
        if data.get("format_version") != VERSION:
            raise InputError(
                f"{path}: a report of format {data.get('format_version')}; this program reads {VERSION}",
                "use the version of retarget that wrote it, or run the evaluation again",
            )
        try:
            return _report(data)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(f"{path}: damaged: {error}", "make it again with `retarget eval`") from error


def _report(data: dict[str, Any]) -> Report:
    return Report(
        data["title"],
        data["created"],
        data["version"],
        data["machine"],
        data["dataset"],
        data["protocol"],
        data["pixels"],
        tuple(Info(**info) for info in data["metrics"]),
        tuple(Missing(**missing) for missing in data["missing"]),
        data["methods"],
        {
            method: {key: Estimate(**estimate) for key, estimate in values.items()}
            for method, values in data["overall"].items()
        },
        tuple(
            Difference(item["first"], item["second"], item["metric"], Estimate(**item["estimate"]))
            for item in data["differences"]
        ),
        tuple(_clip(item) for item in data["clips"]),
    )


def _clip(data: dict[str, Any]) -> Clip:
    methods = {name: scored(item) for name, item in data["methods"].items()}
    return Clip(data["name"], tuple(data["source"]), data["driving"], data["target"], methods, data.get("first", 0))


def scored(data: dict[str, Any]) -> Scored:
    """`asdict` of a `Scored`, the other way."""
    height, width = data["size"]
    frames = {key: tuple(values) for key, values in data["frames"].items()}
    return Scored(
        **{
            **data,
            "frames": frames,
            "indices": tuple(data["indices"]),
            "size": (height, width),
            "notes": tuple(data["notes"]),
        }
    )
