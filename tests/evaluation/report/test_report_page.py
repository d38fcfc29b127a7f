"""The page in a real browser."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from tests.evaluation.conftest import requests_of

from retarget_cli.evaluation.report.writer import write_report


@pytest.fixture(scope="module")
def page(finished_run: Path, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("page")
    write_report([finished_run], folder)
    browser.get((folder / "report.html").as_uri())
    return browser


def find(page: Any, selector: str) -> list[Any]:
    return list(page.find_elements("css selector", selector))


def first_column(page: Any, table: int = 0) -> list[str]:
    return [row.text for row in find(page, "table.sortable")[table].find_elements("css selector", "tbody th")]


def test_nothing_reaches_for_the_network_and_nothing_fails(page: Any) -> None:
    assert requests_of(page) == []
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert page.execute_script("return window.alert.toString()").startswith("function alert")


def test_the_table_sorts_by_click_and_by_key(page: Any) -> None:
    head = next(h for h in find(page, "table.sortable thead th") if h.text.startswith("PSNR"))
    button = head.find_element("css selector", "button")
    button.click()
    assert head.get_attribute("aria-sort") == "descending"
    assert first_column(page) == ["good", "poor"]
    button.send_keys("\n")
    assert head.get_attribute("aria-sort") == "ascending"
    assert first_column(page) == ["poor", "good"]
    button.click()


def test_the_best_is_bold_and_the_missing_is_told(page: Any) -> None:
    bold = find(page, "table.sortable")[0].find_elements("css selector", "tbody tr:first-child strong")
    assert len(bold) >= 3
    text = page.find_element("css selector", "main").text
    assert "retarget weights pull alexnet" in text
    assert "no rendered clip of this name" in text
    assert "<script>alert(1)<_script>" in text  # the wicked clip's name, as a name


def test_pictures_load_and_films_play(page: Any) -> None:
    widths = page.execute_script("return [...document.images].map(i => [i.complete, i.naturalWidth])")
    assert len(widths) > 10
    assert all(done and width > 0 for done, width in widths)
    durations = page.execute_async_script(
        """const done = arguments[arguments.length - 1], films = [...document.querySelectorAll("video")];
        Promise.all(films.map(f => new Promise(r => { if (f.readyState) r(f.duration);
            else { f.onloadedmetadata = () => r(f.duration); f.onerror = () => r(-1); f.load(); } }))).then(done);"""
    )
    assert len(durations) == 3
    assert durations == pytest.approx([12 / 25] * 3, abs=0.1)


def test_plots_and_worst_frames_follow_the_metric(page: Any) -> None:
    chooser = page.find_element("css selector", "select.metric")
    choose = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
    for key in ("ssim", "l1"):
        page.execute_script(choose, chooser, key)
        shown = [block.get_attribute("data-metric") for block in find(page, ".worst") if block.is_displayed()]
        assert shown == [key]
        assert len(find(page, "figure.plot svg path.line")) == 6
        assert "by frame" in find(page, ".legend")[0].text
    rows = find(page, ".every table tbody tr")
    assert len(rows) == 3


def test_a_plot_tells_the_values_under_the_pointer_and_shows_the_frame(page: Any) -> None:
    point = """const svg = document.querySelector("figure.plot svg"), box = svg.getBoundingClientRect();
        const at = { clientX: box.right - 12, clientY: box.top + 20, bubbles: true };
        svg.dispatchEvent(new PointerEvent(arguments[0], at));"""
    page.execute_script(point, "pointermove")
    assert "frame 11" in find(page, ".legend")[0].text
    page.execute_script(point, "click")
    assert page.execute_script('return document.querySelector("video").currentTime') == pytest.approx(11.5 / 25)
    page.execute_script(point, "pointerleave")
    assert "by frame" in find(page, ".legend")[0].text


def test_paper_opens_what_is_collapsed_and_closes_it_again(page: Any) -> None:
    closed = 'return document.querySelectorAll("details:not([open])").length'
    before = page.execute_script(closed)
    page.execute_script('window.dispatchEvent(new Event("beforeprint"))')
    assert page.execute_script(closed) == 0
    page.execute_script('window.dispatchEvent(new Event("afterprint"))')
    assert page.execute_script(closed) == before > 0


def test_the_papers_rows_are_set_apart(page: Any) -> None:
    section = page.find_element("id", "published")
    assert "published, not measured here" in section.text
    assert not section.find_element("css selector", "table").is_displayed()
    page.execute_script("arguments[0].click()", section.find_element("css selector", "summary"))
    assert "24.513" in section.text


def test_it_prints_on_pages(page: Any) -> None:
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    data = base64.b64decode(printed["data"])
    assert data.startswith(b"%PDF")
    assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") > 1 or data.count(b"/Page") > 3


def test_it_fits_a_phone(page: Any) -> None:
    page.set_window_size(420, 900)
    wide = page.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_window_size(1200, 900)
    assert wide <= 1
