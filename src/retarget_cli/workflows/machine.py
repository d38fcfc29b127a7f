"""What the program and the machine are, in words that stand beside figures."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from retarget_cli.core.version import installed_version

CPU_INFO = Path("/proc/cpuinfo")


def program_version() -> str:
    """Of the installed package."""
    return installed_version() or "not installed"


def machine() -> str:
    """Processor, cores, system and Python; nothing that names a person's computer."""
    return f"{processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def processor() -> str:
    """The processor's name as the system has it."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
