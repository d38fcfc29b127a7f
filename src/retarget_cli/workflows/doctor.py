"""What is installed, what is missing, and whether it works."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import RetargetError

PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "mediapipe",
    "opencv-contrib-python",
    "av",
    "pillow",
    "numba",
    "safetensors",
    "smplx",
    "torchmetrics",
    "typer",
    "rich",
    "pytorch3d",
)
OPTIONAL = ("pytorch3d",)


@dataclass(slots=True)
class Report:
    """Named findings, in order, and what keeps the program from working."""

    findings: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def text(self) -> str:
        """A line a finding; faults last."""
        width = max(len(name) for name in self.findings)
        lines = [f"{name:{width}}  {value}" for name, value in self.findings.items()]
        lines += [f"FAULT: {fault}" for fault in self.faults] or ["everything that is needed works"]
        return "\n".join(lines)

    def data(self) -> dict[str, object]:
        """JSON types."""
        return {"findings": self.findings, "faults": self.faults}


def examine(device: str = "auto") -> Report:
    """Look at everything; never raises for what it finds.

    Raises:
        DeviceError: the device was named and is not there.
    """
    report = Report()
    report.findings["python"] = f"{sys.version.split()[0]} on {platform.system()} {platform.machine()}"
    _packages(report)
    chosen = choose_device(device)
    _devices(report, chosen.device.type, chosen.reason)
    _codecs(report)
    _bodies(report)
    _backends(report)
    _cache(report)
    _self_test(report, device)
    return report


def _packages(report: Report) -> None:
    for name in PACKAGES:
        try:
            report.findings[name] = version(name)
        except PackageNotFoundError:
            report.findings[name] = "not installed" + (" (optional)" if name in OPTIONAL else "")
            if name not in OPTIONAL:
                report.faults.append(f"{name} is not installed: pip install {name}, or install retarget-cli again")


def _devices(report: Report, kind: str, reason: str) -> None:
    """What each stage runs on: only drawing can leave the CPU."""
    import torch

    from retarget_cli.body.raster import choose_rasterizer

    report.findings["device"] = reason
    threads = f"{torch.get_num_threads()} torch thread(s) inside an operation (OMP_NUM_THREADS)"
    report.findings["threads"] = f"{threads}; {os.cpu_count()} cores"
    report.findings["decode, encode"] = "cpu; encoding on NVIDIA with --codec h264_nvenc where it works"
    report.findings["pose, mask"] = "cpu (MediaPipe's networks run on the CPU)"
    report.findings["body fit"] = "cpu"
    report.findings["render"] = f"{kind}, rasterizer: {choose_rasterizer(kind)}"
    if kind == "cuda" and find_spec("pytorch3d") is None:
        report.findings["render"] += " (PyTorch3D is not installed; see the README)"


def _codecs(report: Report) -> None:
    from retarget_cli.media.encoders import working_codecs

    found = working_codecs()
    idle = [name for name, works in found.items() if not works]
    text = ", ".join(name for name, works in found.items() if works)
    report.findings["codecs"] = text + (f" (not here: {', '.join(idle)})" if idle else "")
    if not found["h264"]:
        report.faults.append("h264 can't be encoded: pip install --force-reinstall av")


def _bodies(report: Report) -> None:
    from retarget_cli.body.catalog import load_body, models_folder

    try:
        body = load_body("anny")
        report.findings["body anny"] = f"ready: {len(body.template)} vertices; {body.license}"
    except RetargetError as error:
        report.findings["body anny"] = "missing or damaged"
        report.faults.append(f"body anny: {error.message}")
    try:
        load_body("smpl")
        report.findings["body smpl"] = "ready"
    except RetargetError as error:
        report.findings["body smpl"] = f"optional, {error.message}; {error.hint}"
    report.findings["models folder"] = str(models_folder())


def _backends(report: Report) -> None:
    from retarget_cli.workflows.readiness import all_backends

    for item in all_backends():
        needed = f"weights: {', '.join(item.weights)}" if item.weights else "needs no weights"
        report.findings[f"backend {item.name}"] = f"ready; {needed}" if item.is_ready else f"not ready: {item.reason}"


def _cache(report: Report) -> None:
    from retarget_cli.perception.cache import default_cache

    found = default_cache().info()
    state = "" if found.is_writable else " (not writable: nothing is kept)"
    report.findings["cache"] = f"{found.folder}: {found.bytes_used / 2**20:.1f} MiB{state}"


def _self_test(report: Report, device: str) -> None:
    """People drawn on the spot: perceived, moved, drawn again and encoded."""
    from retarget_cli.workflows.self_test import run_self_test

    started = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as folder:
            frames = run_self_test(Path(folder), device)
    except (RetargetError, OSError, RuntimeError, ValueError) as error:
        report.findings["self test"] = "failed"
        report.faults.append(f"self test: {error}")
        return
    seconds = time.perf_counter() - started
    report.findings["self test"] = f"{frames} frames perceived, moved, drawn and encoded in {seconds:.1f} s"
