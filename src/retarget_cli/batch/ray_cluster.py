"""Ray itself: found, started or joined, and left again.

A Ray that is started here is private: small, without a dashboard, without anything sent anywhere, in a folder of its
own that goes with it. One that is joined (`--address`) stays as it is.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from retarget_cli.batch.ray_fate import first_line
from retarget_cli.core.errors import BackendError, UsageError

_STORE_BYTES = 100 * 2**20  # only lines of JSON pass through it
_PROBE_SECONDS = 25.0
_CONNECT_SECONDS = 5.0
# Unix sockets lie in the folder: with what Ray adds, a longer name would exceed the system's 107 bytes.
_LONGEST_FOLDER = 30
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}", re.ASCII)
_KEYS = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}
_HINT = "see docs/batch.md on --engine ray"


@dataclass(frozen=True, slots=True)
class RayCluster:
    """A Ray that this process is connected to.

    Attributes:
        ray: the package.
        is_started: it was started here, and ends here.
        is_joined: it was joined here, and is left here.
        folder: of a started one.
    """

    ray: Any
    is_started: bool = False
    is_joined: bool = False
    folder: Path | None = None

    def total(self, resource: str) -> float:
        """How much of a resource all machines together have."""
        return float(self.ray.cluster_resources().get(resource, 0.0))

    def close(self) -> None:
        """Leave it, and end what was started."""
        if self.is_started or self.is_joined:
            with _signals_kept():
                self.ray.shutdown()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def import_ray(*, is_private: bool) -> Any:
    """The package.

    Args:
        is_private: for a Ray of our own. It gets a key of its own, unless the user has set one, so that nobody else on
            this machine can use it, and the user's home is spared a file. Ray reads that once, while it is imported.

    Raises:
        BackendError: it is not installed.
    """
    if is_private and "ray" not in sys.modules and not _KEYS & os.environ.keys():
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # network only where the user asked for it
    try:
        return import_module("ray")
    except ImportError as error:
        raise BackendError("--engine ray needs Ray", "pip install retarget-cli[ray]") from error


def check_address(address: str) -> None:
    """Refuse what is no address of a cluster.

    Raises:
        UsageError: it is none.
    """
    if address != "auto" and _HOST_AND_PORT.fullmatch(address) is None:
        raise UsageError(
            f"--address {address!r}: expected HOST:PORT of a Ray cluster's head, or auto",
            "the driver has to run on one of the cluster's machines",
        )


def start_ray(workers: int) -> RayCluster:
    """A private Ray on this machine, with a place for each worker; the one that this process already has, if any.

    Raises:
        BackendError: it can't be started.
    """
    ray = import_ray(is_private=True)
    if ray.is_initialized():
        return RayCluster(ray)
    folder = _folder()
    try:
        _init(
            ray,
            address="local",
            num_cpus=workers,
            object_store_memory=_STORE_BYTES,
            include_dashboard=False,
            _temp_dir=str(folder / "r"),  # Ray lets everybody write there; nobody else comes into the folder above
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return RayCluster(ray, is_started=True, folder=folder)


def join_ray(address: str) -> RayCluster:
    """The cluster at an address, found alive before Ray is asked to join it: that may take minutes to give up.

    Raises:
        BackendError: nothing answers there, or it will not have us.
    """
    ray = import_ray(is_private=False)
    if ray.is_initialized():
        return RayCluster(ray)
    if address != "auto":
        _knock(address)
    _probe(address)
    _init(ray, address=address)
    return RayCluster(ray, is_joined=True)


def _init(ray: Any, **given: object) -> None:
    logging.getLogger("ray").addHandler(logging.NullHandler())
    try:
        with _signals_kept(), _silence(ray):
            ray.init(
                namespace=f"retarget-{secrets.token_hex(8)}", log_to_driver=False, configure_logging=False, **given
            )
    except (OSError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        address = given["address"]
        what = "Ray can't be started" if address == "local" else f"the Ray at {address} can't be joined"
        raise BackendError(f"{what}: {first_line(error)}", _HINT) from error


def _folder() -> Path:
    """A new one, with a name that is short enough."""
    usual = tempfile.gettempdir()
    is_short = len(os.fsencode(usual)) <= _LONGEST_FOLDER or not Path("/tmp").is_dir()
    return Path(tempfile.mkdtemp(prefix="rtg-", dir=usual if is_short else "/tmp"))


def _knock(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BackendError(f"no Ray answers at {address}: {reason}", "check --address, and `ray status`") from error


def _probe(address: str) -> None:
    """Ask for the cluster's health in a process that can be ended: in this one nothing bounds the time."""
    words = [sys.executable, "-P", "-m", "ray.scripts.scripts", "health-check"]
    if address != "auto":
        words += ["--address", address]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PROBE_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise BackendError(
            f"no Ray answers at {address} within {_PROBE_SECONDS:g} s", "check --address, and `ray status`"
        ) from error
    if done.returncode:
        raise BackendError(f"no healthy Ray at {address}", "`ray status` on that machine tells more")


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself; what the program has set there stays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def _silence(ray: Any) -> Iterator[None]:
    """Keep Ray from writing workers' deaths to stdout, which is for results: `log_to_driver` says nothing of these.

    The function that the thread runs is replaced only while Ray starts it; a Ray that has no such function is left.
    """
    module, name = ray._private.worker, "listen_error_messages"
    listen = getattr(module, name, None)
    if listen is None:
        yield
        return
    setattr(module, name, lambda *_: None)
    try:
        yield
    finally:
        setattr(module, name, listen)
