"""The descriptor is borrowed and given back, whatever happens; failures keep their words."""

from __future__ import annotations

import logging
import os
import threading

import numpy as np
import pytest

from retarget_cli.core.errors import BackendError
from retarget_cli.perception.engine import DetectionNet, LandmarkNet, Region, _Graph, quiet_stderr


def test_native_lines_go_to_the_log(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), quiet_stderr():
        os.write(2, b"W0000 00:00:1 chatter\nE0000 00:00:1 the model is broken\n")
    assert capfd.readouterr().err == ""
    levels = {record.getMessage(): record.levelno for record in caplog.records}
    assert levels["mediapipe: W0000 00:00:1 chatter"] == logging.DEBUG
    assert levels["mediapipe: E0000 00:00:1 the model is broken"] == logging.WARNING


def test_descriptor_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="within"), quiet_stderr():
        raise ValueError("within")
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_threads_do_not_lose_the_descriptor(capfd: pytest.CaptureFixture[str]) -> None:
    def borrow() -> None:
        for _ in range(50):
            with quiet_stderr():
                os.write(2, b"noise\n")

    threads = [threading.Thread(target=borrow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_no_descriptors_leak() -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(20):
        with quiet_stderr():
            pass
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after == before


def test_a_graph_that_cannot_be_built_says_why() -> None:
    with pytest.raises(BackendError, match="NoSuchCalculator") as caught:
        _Graph('input_stream: "image" node { calculator: "NoSuchCalculator" input_stream: "image" }', {}, {})
    assert caught.value.__cause__ is not None


def test_two_estimators_in_two_threads_agree() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    results: list[object] = []

    def work() -> None:
        with DetectionNet(0.5) as detector, LandmarkNet(with_mask=True, least_presence=0.0) as reader:
            reading = reader.read(rgb, Region(150, 100, 200, 0.1))
            results.append((len(detector.find(rgb)), None if reading is None else reading.pose.tobytes()))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert results[0] == results[1]


def test_region_scaling() -> None:
    assert Region(10, 20, 30, 0.5).scaled(2, (1, -1)) == Region(21, 39, 60, 0.5)
