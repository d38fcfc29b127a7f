"""How far a batch is, for Prometheus: an address that answers with numbers, only where the user asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retarget_cli.batch.item import State
from retarget_cli.core.errors import UsageError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LOOPBACK = "127.0.0.1"
_LARGEST_PORT = 65_535


class Endpoint:
    """The numbers. They stay as they were told last.

    Attributes:
        port: where it listens; another than was asked for where that was 0.
    """

    def __init__(self, registry: CollectorRegistry, port: int = 0) -> None:
        from prometheus_client import Gauge

        self.port = port
        self._items = Gauge("retarget_batch_items", "Items of the batch by state", ["state"], registry=registry)
        self._frames = Gauge("retarget_batch_frames_done", "Frames made in this run", registry=registry)
        self._rate = Gauge("retarget_batch_frames_per_second", "Frames a second, at present", registry=registry)
        self._left = Gauge(
            "retarget_batch_seconds_left", "Seconds until all is done, estimated; NaN: unknown", registry=registry
        )
        self._running = Gauge("retarget_batch_workers_running", "Workers that are at an item", registry=registry)
        self.update({}, 0, 0.0, None, 0)

    def update(
        self, counts: Mapping[State, int], frames_done: int, fps: float, seconds_left: float | None, running: int
    ) -> None:
        """Tell how far the batch is.

        Args:
            counts: items by state; absent states have none.
            frames_done: made in this run.
            fps: frames a second, at present.
            seconds_left: estimated; None where that is unknown.
            running: workers that are at an item.
        """
        for state in State:
            self._items.labels(state.value).set(counts.get(state, 0))
        self._frames.set(frames_done)
        self._rate.set(fps)
        self._left.set(float("nan") if seconds_left is None else seconds_left)
        self._running.set(running)


@contextmanager
def open_endpoint(port: int, host: str = LOOPBACK) -> Iterator[Endpoint]:
    """Listen at http://host:port/metrics until the context is left.

    Args:
        port: 0 takes a free one; see `Endpoint.port`.
        host: who may ask: this machine alone, unless another address is given.

    Raises:
        UsageError: the port is impossible or taken, the host is none of this machine's, or the package is missing.
    """
    if not 0 <= port <= _LARGEST_PORT:
        raise UsageError(f"port {port}: expected 1 to {_LARGEST_PORT}", "choose another, such as 9090")
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError as error:
        hint = "install it with `pip install retarget-cli[metrics]`"
        raise UsageError("the Prometheus endpoint needs the package prometheus-client", hint) from error
    registry = CollectorRegistry()
    endpoint = Endpoint(registry, port)
    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that can't be one
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"can't listen at {host}:{port}: {reason or error}", "choose another port") from error
    endpoint.port = int(server.server_address[1])
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
