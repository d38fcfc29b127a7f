"""What must be set before torch, OpenCV and MediaPipe are imported."""

from __future__ import annotations

from collections.abc import MutableMapping

# The stages of the pipeline run beside each other, each on a core of its own. Two threads inside a stage fight the
# other stages for the cores: on a busy machine of two that was up to thirty times slower.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "GLOG_minloglevel": "3", "SVT_LOG": "1", "JAX_PLATFORMS": "cpu"}


def prepare_environment(variables: MutableMapping[str, str]) -> None:
    """One thread inside an operation unless the user has set OMP_NUM_THREADS; native libraries say nothing."""
    if "OMP_NUM_THREADS" not in variables:
        for name in THREADS:
            variables.setdefault(name, "1")
    for name, value in QUIET.items():
        variables.setdefault(name, value)
