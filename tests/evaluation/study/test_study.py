"""The study's page in a real browser, by keyboard, and its answers read back."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.evaluation.conftest import requests_of

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.evaluation.report.writer import write_report
from retarget_cli.evaluation.study.files import load_study
from retarget_cli.evaluation.study.key import TRUTH, Key
from retarget_cli.evaluation.study.results import COLUMNS, read_results
from retarget_cli.evaluation.study.writer import write_study


@pytest.fixture(scope="module")
def study(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study([finished_run], tmp_path_factory.mktemp("study") / "study.html", seed=5)


def key_of(page: Path) -> Key:
    return Key.load(page.with_name("study-key.json"))


def test_every_pair_and_every_film_is_asked_about_once(study: Path) -> None:
    key = key_of(study)
    pairs = [item.media for item in key.items.values() if item.design == "pairs"]
    named = [tuple(sorted((key.media[m].clip, key.media[m].method) for m in pair)) for pair in pairs]
    assert len(set(named)) == len(named) == 3 + 3 + 1  # two methods and the truth; the third clip has one method
    assert all(pair[0][0] == pair[1][0] for pair in named)
    singles = [item.media for item in key.items.values() if item.design == "single"]
    assert len(singles) == len(key.media) == 3 + 3 + 2
    assert {medium.method for medium in key.media.values()} == {"good", "poor", TRUTH}


def test_the_page_tells_nothing(study: Path) -> None:
    text = study.read_text("utf-8")
    for word in ("good", "poor", "truth", "script>alert"):
        assert f'"{word}' not in text
    assert "rendered" not in text


def test_the_same_study_again_is_the_same(finished_run: Path, study: Path, tmp_path: Path) -> None:
    again = write_study([finished_run], tmp_path / "study.html", seed=5)
    assert key_of(again) == key_of(study)
    other = write_study([finished_run], tmp_path / "other.html", seed=6)
    assert Key.load(other.with_name("other-key.json")).study != key_of(study).study


def answer_all(browser: Any, choose: Any) -> int:
    """Press keys until the end; returns how many questions there were."""
    body = browser.find_element("css selector", "body")
    for count in range(50):
        if browser.find_element("id", "end").is_displayed():
            return count
        question = browser.find_element("id", "question").text
        films = [film.get_attribute("src")[-200:] for film in browser.find_elements("css selector", "#stage video")]
        body.send_keys(choose(question, films))
    raise AssertionError("the study does not end")


def keeps_its_place(browser: Any, participant: str) -> bool:
    """Begin, answer one question, reload: is the next one asked again?"""
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.wait import WebDriverWait

    browser.find_element("id", "participant").send_keys(participant)
    browser.find_element("id", "participant").send_keys(Keys.ENTER)
    browser.find_element("css selector", "body").send_keys(" ", "y")
    before = browser.find_element("id", "keys").text
    assert before.startswith("2 of 15")
    browser.refresh()
    # A busy machine may not have drawn the page when the browser says that it is there.
    drawn = ("start", "ask")
    WebDriverWait(browser, 20).until(lambda page: any(page.find_element("id", each).is_displayed() for each in drawn))
    return bool(browser.find_element("id", "keys").text == before)


def test_a_study_by_keyboard_is_saved_and_read_back(study: Path, browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.get(study.as_uri())
    browser.get_log("performance")
    pressed: list[str] = []

    def choose(question: str, films: list[str]) -> str:
        side = Keys.ARROW_LEFT if "more real" in question else "y"
        assert len(films) == (2 if "more real" in question else 1)
        pressed.append(side)
        return side

    # In a new Chromium on a busy machine the page twice began anew after a reload, as if nothing had been kept.
    assert any(keeps_its_place(browser, 'Ann "A", é') for _ in range(3))
    assert answer_all(browser, choose) + 1 == 7 + 8
    assert requests_of(browser) == []
    link = browser.find_element("id", "save")
    name = link.get_attribute("download")
    assert name.startswith(f"study-{key_of(study).study}-Ann")
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    link.click()
    deadline = time.monotonic() + 10
    while not (tmp_path / name).is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    rows = list(csv.DictReader((tmp_path / name).read_text("utf-8").splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["replays"] == "1"
    assert {row["participant"] for row in rows} == {'Ann "A", é'}
    result = read_results([tmp_path / name], key_of(study))
    assert (result.participants, result.answers) == (1, 15)
    assert sum(each.share.trials for each in result.preferences) == 7
    assert all(each.share.share == 1 for each in result.reals)


def test_single_films_come_first_and_what_there_is_can_be_saved(study: Path, browser: Any, tmp_path: Path) -> None:
    browser.get(study.as_uri())
    browser.execute_script("localStorage.clear()")
    browser.refresh()
    browser.find_element("id", "participant").send_keys("constructor\n")  # a name that JavaScript's objects have too
    assert browser.find_element("id", "question").text == "Does this look real?"
    browser.find_element("css selector", "body").send_keys("y", "n")
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.find_element("id", "pause").click()
    path = tmp_path / f"study-{key_of(study).study}-constructor.csv"
    deadline = time.monotonic() + 10
    while not path.is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    result = read_results([path], key_of(study))
    assert (result.answers, sum(each.share.successes for each in result.reals)) == (2, 1)
    assert browser.find_element("id", "keys").text.startswith("3 of 15")


def test_people_get_orders_and_sides_of_their_own(study: Path, browser: Any) -> None:
    seen = []
    for name in ("one", "two"):
        browser.get(study.as_uri())
        browser.execute_script("localStorage.clear()")
        browser.refresh()
        browser.find_element("id", "participant").send_keys(name)
        browser.execute_script("document.querySelector('#begin button').click()")
        films: list[list[str]] = []

        def choose(question: str, shown: list[str], films: list[list[str]] = films) -> str:
            films.append(shown)
            return "\ue012" if "more real" in question else "n"

        answer_all(browser, choose)
        seen.append(films)
    assert len(seen[0]) == len(seen[1])
    assert seen[0] != seen[1]


def answers(study: Path, path: Path, participant: str, better: str) -> Path:
    """What somebody who always finds one method better would have saved."""
    key = key_of(study)
    rows = []
    for name, item in key.items.items():
        methods = [key.media[medium].method for medium in item.media]
        if item.design == "pairs":
            answer = "left" if methods[0] == better else "right"
            cells = [*item.media, answer]
        else:
            cells = [item.media[0], "", "yes" if methods[0] == better else "no"]
        rows.append([key.study, participant, item.design, 1, name, *cells, "1.0", 0, "now"])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def test_shares_and_intervals_stand_in_the_report(finished_run: Path, study: Path, tmp_path: Path) -> None:
    people = [answers(study, study.parent / f"study-{name}.csv", name, "good") for name in ("x", "y", "z")]
    result = load_study(people)
    (good_over_poor,) = [each for each in result.preferences if {each.first, each.second} == {"good", "poor"}]
    assert good_over_poor.share.trials == 6
    assert good_over_poor.share.share == 1
    assert good_over_poor.share.low == pytest.approx(0.6097, abs=1e-3)
    write_report([finished_run], tmp_path, people, max_videos=0)
    for name in ("report.md", "report.html"):
        assert "good over poor" in (tmp_path / name).read_text("utf-8")
    for path in people:
        path.unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("participant", "who", 1), "1: no column `participant`"),
        (lambda text: text.replace(",left,1.0", ",middle,1.0", 1), "answer is middle, expected left or right"),
        (lambda text: text + "one,two\r\n", "2 cells, expected 11"),
        (lambda text: "", "no column"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(study: Path, tmp_path: Path, change: Any, said: str) -> None:
    path = answers(study, tmp_path / "study-x.csv", "x", "good")
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(InputError, match=said) as caught:
        read_results([path], key_of(study))
    assert str(path) in caught.value.message


def test_what_can_not_be_asked(finished_run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--per-person"):
        write_study([finished_run], tmp_path / "s.html", per_person=0)
    empty = json.loads((finished_run / "report.json").read_text("utf-8"))
    empty["clips"] = []
    (tmp_path / "report.json").write_text(json.dumps(empty), "utf-8")
    with pytest.raises(InputError, match="nothing to ask"):
        write_study([tmp_path], tmp_path / "s.html")
    assert not (tmp_path / "s.html").exists()


def test_a_persons_share_of_questions(finished_run: Path, browser: Any, tmp_path: Path) -> None:
    page = write_study([finished_run], tmp_path / "short.html", per_person=4)
    browser.get(page.as_uri())
    browser.find_element("id", "participant").send_keys("p\n")
    assert "1 of 4" in browser.find_element("id", "keys").text
