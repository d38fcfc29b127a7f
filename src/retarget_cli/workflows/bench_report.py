"""What `retarget bench` was asked to measure, and what it found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from retarget_cli.workflows.bench_process import Job


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What to measure; see `cli.bench` for the meanings."""

    source: Path | None
    driving: Path | None
    sizes: tuple[int, ...]
    frames: int | None
    backend: str
    device: str
    is_cold: bool
    has_memory: bool
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SizeReport:
    """One size.

    Attributes:
        size: WIDTHxHEIGHT of the result.
        frames: how many were measured.
        decode, pose, fit, render, encode: ms a frame of the stage on its own.
        job_seconds, job_fps: from clip to file, in this process, with nothing cached.
        motion_fps: from a saved motion to file, the preparation of the source included.
        to_pose: wall time of clip to file over that of the pose network alone on the same frames.
            Of a method that is led by pixels, pose, fit and these two are None: nothing is perceived.
        process: the same job in a process of its own: start, imports and all.
    """

    size: str
    frames: int
    decode: float
    pose: float | None
    fit: float | None
    render: float
    encode: float
    job_seconds: float
    job_fps: float
    motion_fps: float | None
    to_pose: float | None
    process: Job


@dataclass(slots=True)
class BenchReport:
    """All that was measured."""

    device: str
    clip: str
    rows: list[SizeReport]
    starts: dict[str, Job]
    lengths: dict[int, Job]

    def text(self) -> str:
        """Tables."""
        lines = [f"device: {self.device}", f"clip: {self.clip}"]
        head = ("size", "frames", "decode", "pose", "fit", "render", "encode")
        lines.append("".join(f"{name:>10}" for name in head) + "   ms a frame, each stage alone")
        for row in self.rows:
            times = (row.decode, row.pose, row.fit, row.render, row.encode)
            lines.append(f"{row.size:>10}{row.frames:>10}" + "".join(_told(value, 10, ".2f") for value in times))
            rates = [None if value is None else 1000 / value for value in times]
            lines.append(f"{'':20}" + "".join(f"{_told(value, 6, '.0f')} fps" for value in rates))
        lines.append("")
        lines.append(f"{'size':>10}{'clip->file':>20}{'motion->file':>14}{'wall/pose':>11}   whole job, this process")
        for row in self.rows:
            lines.append(
                f"{row.size:>10}{row.job_seconds:>8.2f} s{row.job_fps:>6.1f} fps"
                f"{_told(row.motion_fps, 10, '.1f')} fps{_told(row.to_pose, 11, '.2f')}"
            )
        named = [(f"{row.size}: compiled before", row.process) for row in self.rows]
        first = self.rows[0].size  # starts and lengths are measured at the first size
        named += [(f"{first}: {name}", job) for name, job in self.starts.items()]
        named += [(f"{first}: clip of {seconds} s", job) for seconds, job in self.lengths.items()]
        lines += ["", f"{'':48}{'wall':>10}{'':>10}{'first frame':>13}{'peak memory':>14}   whole job, new process"]
        lines += [
            f"{name:48}{job.seconds:>8.2f} s{job.frames / job.seconds:>6.1f} fps{job.first_frame:>11.2f} s"
            f"{job.peak_mib:>10.0f} MiB"
            for name, job in named
        ]
        if len(self.lengths) > 1:
            short, long = (self.lengths[key].peak_mib for key in (min(self.lengths), max(self.lengths)))
            lines.append(f"peak memory grows by {100 * (long / short - 1):.1f} % over that length")
        return "\n".join(lines)

    def data(self) -> dict[str, object]:
        """JSON types."""
        return asdict(self)


def _told(value: float | None, width: int, form: str) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:>{width}{form}}"
