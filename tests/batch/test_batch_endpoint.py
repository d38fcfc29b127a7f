"""The optional Prometheus endpoint."""

from __future__ import annotations

import builtins
import urllib.error
import urllib.request
from typing import Any

import pytest

from retarget_cli.batch.endpoint import open_endpoint
from retarget_cli.batch.item import State
from retarget_cli.core.errors import UsageError

pytest.importorskip("prometheus_client")


def asked(port: int, path: str = "/metrics") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def test_it_tells_the_last_numbers() -> None:
    with open_endpoint(0) as endpoint:
        assert 'retarget_batch_items{state="done"} 0.0' in asked(endpoint.port)
        endpoint.update({State.DONE: 7, State.FAILED: 2}, 1234, 12.5, 60.0, 2)
        told = asked(endpoint.port)
        assert 'retarget_batch_items{state="done"} 7.0' in told
        assert 'retarget_batch_items{state="failed"} 2.0' in told
        assert 'retarget_batch_items{state="waiting"} 0.0' in told
        assert "retarget_batch_frames_done 1234.0" in told
        assert "retarget_batch_frames_per_second 12.5" in told
        assert "retarget_batch_seconds_left 60.0" in told
        assert "retarget_batch_workers_running 2.0" in told
        assert "python_info" not in told  # a registry of its own: nothing about the process
        endpoint.update({}, 0, 0.0, None, 0)
        assert "retarget_batch_seconds_left NaN" in asked(endpoint.port)


def test_nobody_listens_before_and_after() -> None:
    with open_endpoint(0) as endpoint:
        port = endpoint.port
    with pytest.raises(urllib.error.URLError):
        asked(port)
    with open_endpoint(port):  # the port is free again at once
        assert "retarget_batch_items" in asked(port)


def test_a_taken_port_is_told() -> None:
    with (
        open_endpoint(0) as first,
        pytest.raises(UsageError, match=f"127.0.0.1:{first.port}"),
        open_endpoint(first.port),
    ):
        pass


@pytest.mark.parametrize("port", [-1, 65_536])
def test_an_impossible_port_is_told(port: int) -> None:
    with pytest.raises(UsageError, match="expected 1 to 65535"), open_endpoint(port):
        pass


def test_another_machines_address_is_told() -> None:
    with pytest.raises(UsageError, match=r"can.t listen at 192\.0\.2\.1"), open_endpoint(0, "192.0.2.1"):
        pass


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name == "prometheus_client":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match="prometheus-client") as caught, open_endpoint(0):
        pass
    assert "retarget-cli[metrics]" in caught.value.hint
