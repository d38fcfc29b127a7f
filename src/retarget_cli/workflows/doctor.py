"""What is installed, what is missing, and whether it works."""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import RetargetError

PACKAGES = ("torch", "numpy", "mediapipe", "opencv-contrib-python", "av", "numba", "smplx", "safetensors", "pytorch3d")
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
    _bodies(report)
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
    from retarget_cli.body.raster import choose_rasterizer

    report.findings["device"] = reason
    report.findings["pose, mask"] = "cpu (MediaPipe's networks run on the CPU)"
    report.findings["body fit"] = "cpu"
    report.findings["render"] = f"{kind}, rasterizer: {choose_rasterizer(kind)}"
    if kind == "cuda" and find_spec("pytorch3d") is None:
        report.findings["render"] += " (PyTorch3D is not installed; see the README)"


def _bodies(report: Report) -> None:
    from retarget_cli.body.catalog import load_body, models_folder

    body = load_body("anny")
    report.findings["body anny"] = f"ready: {len(body.template)} vertices; {body.license}"
    try:
        load_body("smpl")
        report.findings["body smpl"] = "ready"
    except RetargetError as error:
        report.findings["body smpl"] = f"{error.message}; {error.hint}"
    report.findings["models folder"] = str(models_folder())
    report.findings["weights"] = "none needed by the avatar"


def _cache(report: Report) -> None:
    from retarget_cli.perception.cache import default_cache

    found = default_cache().info()
    state = "" if found.is_writable else " (not writable: nothing is kept)"
    report.findings["cache"] = f"{found.folder}: {found.bytes_used / 2**20:.1f} MiB{state}"


def _self_test(report: Report, device: str) -> None:
    """A rendered body, perceived, moved and encoded."""
    from retarget_cli.workflows.self_test import run_self_test

    started = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as folder:
            frames = run_self_test(Path(folder), device)
    except (RetargetError, OSError, RuntimeError, ValueError) as error:
        report.findings["self test"] = "failed"
        report.faults.append(f"self test: {error}")
        return
    seconds = np.round(time.perf_counter() - started, 1)
    report.findings["self test"] = f"{frames} frames perceived, moved, drawn and encoded in {seconds} s"
