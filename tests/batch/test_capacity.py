"""How many workers a machine bears, read from files of its own making."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from retarget_cli.batch.capacity import WORKER_MIB, Machine
from retarget_cli.batch.local import LocalEngine

MIB = 2**20


def machine(root: Path, **files: str) -> Machine:
    """Files of a root, whose names have `__` for a slash and `_dot_` for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine(root, {})


def meminfo(mib: int) -> str:
    return f"MemTotal:  99999999 kB\nMemFree:  1 kB\nMemAvailable:  {mib * 1024} kB\n"


@pytest.fixture(autouse=True)
def _sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)


def test_cores_and_memory_bound_the_number(tmp_path: Path) -> None:
    assert machine(tmp_path, proc__meminfo=meminfo(100 * WORKER_MIB)).default_workers() == 16
    assert machine(tmp_path, proc__meminfo=meminfo(3 * WORKER_MIB + 9)).default_workers() == 3
    assert machine(tmp_path, proc__meminfo=meminfo(10)).default_workers() == 1


def test_bounds_of_a_container_count(tmp_path: Path) -> None:
    """Version 2 of control groups: the inner group has no bound, the outer one has; cached files can be had back."""
    found = machine(
        tmp_path,
        proc__meminfo=meminfo(90_000),
        proc__self__cgroup="0::/outer/inner\n",
        sys__fs__cgroup__outer__inner__memory_dot_max="max\n",
        sys__fs__cgroup__outer__inner__cpu_dot_max="max 100000\n",
        sys__fs__cgroup__outer__memory_dot_max=f"{8000 * MIB}\n",
        sys__fs__cgroup__outer__memory_dot_current=f"{6000 * MIB}\n",
        sys__fs__cgroup__outer__memory_dot_stat=f"anon 5\ninactive_file {1500 * MIB}\n",
        sys__fs__cgroup__outer__cpu_dot_max="250000 100000\n",
    )
    assert found.memory_mib() == 3500
    assert found.cores() == 2
    assert found.default_workers() == 2


def test_bounds_of_an_older_container_count(tmp_path: Path) -> None:
    """Version 1: a folder a controller, and no bound is a number beyond all memory."""
    files = {
        "proc__meminfo": meminfo(90_000),
        "proc__self__cgroup": "9:memory:/box\n4:cpu,cpuacct:/box\n1:name=systemd:/\n",
        "sys__fs__cgroup__memory__memory_dot_limit_in_bytes": str(2**63 - 4096),
        "sys__fs__cgroup__memory__memory_dot_usage_in_bytes": "5",
        "sys__fs__cgroup__memory__box__memory_dot_limit_in_bytes": str(4000 * MIB),
        "sys__fs__cgroup__memory__box__memory_dot_usage_in_bytes": str(900 * MIB),
        "sys__fs__cgroup__cpu__box__cpu_dot_cfs_quota_us": "300000\n",
        "sys__fs__cgroup__cpu__box__cpu_dot_cfs_period_us": "100000\n",
        "sys__fs__cgroup__cpu__cpu_dot_cfs_quota_us": "-1\n",
        "sys__fs__cgroup__cpu__cpu_dot_cfs_period_us": "100000\n",
    }
    found = machine(tmp_path, **files)
    assert found.memory_mib() == 3100
    assert found.cores() == 3


def test_a_machine_that_tells_nothing_has_at_least_one_worker(tmp_path: Path) -> None:
    assert Machine(tmp_path, {}).default_workers() >= 1
    assert Machine().default_workers() >= 1


@pytest.mark.parametrize(
    ("visible", "count"), [("0,1", 2), ("", 0), ("-1", 0), ("1,-1,0", 1), ("GPU-8c1e,GPU-9d2f", 2), ("MIG-1", 1)]
)
def test_gpus_are_those_that_the_user_leaves_visible(visible: str, count: int) -> None:
    found = Machine(variables={"CUDA_VISIBLE_DEVICES": visible}).gpus()
    assert found == [f"cuda:{number}" for number in range(count)]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_gpus_are_counted_by_nvidias_own_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: H200 (UUID: GPU-1)'\necho '  MIG 1g: x'\necho 'GPU 1: H200'\n")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    tool.chmod(0o755)
    assert Machine(variables={}).gpus() == ["cuda:0", "cuda:1"]
    assert LocalEngine(None, None, None).workers == 2
    tool.write_text("#!/bin/sh\necho 'GPU 0: H200'\nexit 9\n")
    assert Machine(variables={}).gpus() == []
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert Machine(variables={}).gpus() == []
