"""A finished run with two methods, one of which lost a clip; and a headless browser."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.metrics.scenery import gliding, noised, write_frames

from retarget_cli.evaluation.run_folder import RunFolder
from retarget_cli.workflows.score import ScoreOptions, score_folders

# A name that would end the page's script, or begin another, if it were not escaped.
WICKED = "b <script>alert(1)</script> & \"c\""


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run: clips a, WICKED and c; methods good and poor; poor has no c."""
    root = tmp_path_factory.mktemp("finished")
    names = {"a": 1.0, WICKED.replace("/", "_"): 2.0, "c": 0.5}
    for name, step in names.items():
        clip = gliding(step, 12)
        write_frames(root / "truth" / name, clip)
        write_frames(root / "good" / name, noised(clip, 4.0))
        if name != "c":
            write_frames(root / "poor" / name, noised(clip, 20.0))
    options = ScoreOptions(
        {"good": root / "good", "poor": root / "poor"}, root / "truth", root / "run",
        metrics=("l1", "psnr", "ssim", "tcm", "lpips-alex"), weights=root / "no weights",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(root / "data"))
        patch.setenv("TORCH_HOME", str(root / "torch"))
        report = score_folders(options).report
    RunFolder(root / "run").write_text("report.json", json.dumps(report.data()))
    return root / "run"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless Chromium that keeps its log; skipped where there is none.

    It ends with the tests of a file: a browser that has nothing to do can keep both cores busy.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium with chromedriver on this machine")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # selenium's own
        from selenium.webdriver import Chrome, ChromeOptions
        from selenium.webdriver.chrome.service import Service

        options = ChromeOptions()
        options.binary_location = chromium
        folder = tmp_path_factory.mktemp("browser")
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900",
                     "--disable-dev-shm-usage", "--disable-background-networking",
                     f"--user-data-dir={folder}"):  # fmt: skip
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(folder / "downloads")})
        opened = Chrome(options=options, service=Service(driver))
        opened.downloads = folder / "downloads"  # type: ignore[attr-defined]
        opened.set_page_load_timeout(60)  # a browser that hangs fails its tests; it does not hold up all others
        opened.set_script_timeout(60)
        try:
            yield opened
        finally:
            opened.quit()


def requests_of(browser: Any) -> list[str]:
    """Addresses that the page asked for since the last look, but for itself and what stands in it."""
    asked = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    return [url for url in asked if not url.startswith(("data:", "file:", "blob:", "about:", "chrome:"))]
