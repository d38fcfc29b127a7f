"""Where a batch keeps its manifest and logs: in its output folder, or on this machine where the output is a URL."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from retarget_cli.batch.urls import is_url
from retarget_cli.core.folders import user_data


def work_folder(output: str) -> Path:
    """The folder of a batch's manifest."""
    if not is_url(output):
        return Path(output)
    return user_data(os.environ) / "batches" / hashlib.sha256(output.rstrip("/").encode()).hexdigest()[:16]
