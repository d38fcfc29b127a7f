"""What a batch consists of: which files go with which, and where results go - never out of the output folder."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retarget_cli.batch import plan as module
from retarget_cli.batch import storage
from retarget_cli.batch.item import Item, Value
from retarget_cli.batch.naming import DEFAULT_TEMPLATE, LONGEST_NAME, Numbered, folded, inside, output_name
from retarget_cli.batch.plan import plan_items
from retarget_cli.core.errors import InputError, RetargetError, UsageError


def filled(folder: Path, *names: str) -> Path:
    """A folder with empty files; names that end with / are folders."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


def pairs_of(folder: Path, *rows: Mapping[str, object]) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def of_rows(folder: Path, *rows: Mapping[str, object], template: str = DEFAULT_TEMPLATE) -> list[Item]:
    return plan_items((), (), pairs_of(folder, *rows), template, {}).items


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return filled(
        tmp_path / "people", "p10.jpg", "p2.PNG", "-rf.jpg", "ann/1.jpg", "ann/2.jpg", "me.subject", "clip.mp4",
        ".hidden.jpg", "notes.txt", "empty/", "texts/a.txt", "p2.json",
    )  # fmt: skip


@pytest.fixture
def dances(tmp_path: Path) -> Path:
    return filled(
        tmp_path / "dances", "d9.mp4", "d10.mkv", "walk.motion", "loop.gif", "frames.v2/000.png", "photo.jpg",
        ".DS_Store", "notes", "deep/er/x.mp4",
    )  # fmt: skip


def test_every_source_goes_with_every_clip_in_natural_order(people: Path, dances: Path) -> None:
    plan = plan_items([str(people)], [str(dances)], None)
    sources = ["-rf", "ann", "clip", "me", "p2", "p10"]
    drivings = ["d9", "d10", "frames.v2", "loop", "walk"]
    assert [(item.source, item.driving) for item in plan.items] == [(s, d) for s in sources for d in drivings]
    assert [item.number for item in plan.items] == list(range(1, 31))
    assert plan.items[0].output == "-rf_d9_avatar.mp4"
    by_source = {item.source: item for item in plan.items}
    assert by_source["ann"].options == {"source": (f"{people}/ann",), "driving": f"{dances}/walk.motion"}
    assert by_source["me"].options["subject"] == f"{people}/me.subject"
    assert "source" not in by_source["me"].options
    assert by_source["me"].output == "me_walk_subject.mp4"
    assert by_source["p2"].options["source"] == (f"{people}/p2.PNG",)


def test_what_is_left_out_is_told(people: Path, dances: Path) -> None:
    notes = plan_items([str(people)], [str(dances)], None).notes
    assert notes == (
        f"{people}: left out, as of no known kind: empty, notes.txt, p2.json, texts",
        f"{dances}: left out, as of no known kind: deep, notes, photo.jpg",
    )


def test_files_globs_and_frames_can_be_named_too(people: Path, dances: Path, tmp_path: Path) -> None:
    frames = filled(tmp_path / "frames", "0.png", "1.png")
    odd = filled(tmp_path / "odd", "motion without ending") / "motion without ending"
    plan = plan_items([f"{people}/p*.[jP]*", f"{people}/ann/1.jpg"], [str(frames), str(odd)], None)
    found = [(item.options["source"], item.options["driving"]) for item in plan.items]
    sources = [(f"{people}/p2.PNG",), (f"{people}/p10.jpg",), (f"{people}/ann/1.jpg",)]
    assert found == [(source, driving) for source in sources for driving in (str(frames), str(odd))]


def test_paths_are_whole(people: Path, dances: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(people.parent)
    plan = plan_items(["people/p2.PNG"], ["dances/"], None, common={"audio": "song.wav", "background": "source"})
    assert plan.items[0].options == {
        "source": (f"{people}/p2.PNG",),
        "driving": f"{dances}/d9.mp4",
        "audio": f"{people.parent}/song.wav",
        "background": "source",
    }
    again = plan_items([str(people / "p2.PNG")], [str(dances)], None, common={"audio": f"{people.parent}/song.wav"})
    assert again.items[0].output == plan.items[0].output


@pytest.mark.parametrize(
    ("sources", "drivings", "reason"),
    [
        (["none/"], ["dances"], "--source none/: there is no such file or folder"),
        (["people"], ["none*.mp4"], r"--driving none\*.mp4: there is no such"),
        (["people/texts"], ["dances"], "--source people/texts: holds no photo"),
        (["people"], ["people/empty"], "--driving people/empty: holds no clip"),
        ([], ["dances"], "sources and driving clips are needed"),
        (["people"], [], "sources and driving clips are needed"),
    ],
)
def test_places_that_hold_nothing(
    sources: list[str], drivings: list[str], reason: str, people: Path, dances: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(people.parent)
    with pytest.raises(RetargetError, match=reason):
        plan_items(sources, drivings, None)


def test_pairs_and_folders_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--pairs names sources"):
        plan_items(["a"], [], pairs_of(tmp_path, {"source": "a", "driving": "d"}))


def test_common_options_hold_where_a_row_says_nothing_else(tmp_path: Path) -> None:
    path = pairs_of(tmp_path, {"source": "a", "driving": "d", "fps": 25}, {"source": "b", "driving": "d"})
    items = plan_items((), (), path, common={"fps": "30", "backend": "still", "set": ("a=1",)}).items
    assert [item.options["fps"] for item in items] == ["25", "30"]
    assert [item.output for item in items] == ["a_d_still.mp4", "b_d_still.mp4"]
    assert [item.place for item in items] == [f"{path}, line 1", f"{path}, line 2"]
    with pytest.raises(UsageError, match=r"^--fps: 'x' is no rate"):
        plan_items((), (), path, common={"fps": "x"})
    path = pairs_of(tmp_path, {"source": "a", "driving": "d", "audio": "x"})
    with pytest.raises(UsageError, match=r"pairs.jsonl, line 1, audio and no_audio contradict"):
        plan_items((), (), path, common={"no_audio": "true"})


def test_templates(tmp_path: Path) -> None:
    filled(tmp_path, "me.jpg", "a.mp4", "b.mp4")
    sources, drivings = [str(tmp_path / "me.jpg")], [str(tmp_path)]

    def outputs(template: str) -> list[str]:
        return [item.output for item in plan_items(sources, drivings, None, template).items]

    assert outputs("{index:04d}.webm") == ["0001.webm", "0002.webm"]
    assert outputs("{backend}/{source}/./{driving}.gif") == ["avatar/me/a.gif", "avatar/me/b.gif"]
    assert outputs("{driving}") == ["a", "b"]
    assert outputs("{source}.mp4") == ["me.mp4", "me_2.mp4"]
    assert outputs("{driving:.1}{{x}}.MP4") == ["a{x}.MP4", "b{x}.MP4"]


@pytest.mark.parametrize(
    "template",
    [
        "{who}.mp4", "{source.__class__}.mp4", "{source[0]}.mp4", "{", "{index:99999999999d}.mp4",
        "{source:{index}}.mp4",
        "/tmp/{source}.mp4", "../{source}.mp4", "a/../../{source}.mp4", "~/x.mp4", "~x.mp4", "C:/x.mp4", "c:x.mp4",
        "a\\b.mp4", "a\0b.mp4", "", ".", "/", "./", "s3://b/x.mp4", "x" * 256 + ".mp4", "é" * 128, "{source:300}.mp4",
        "{source}.avi", "{source}.txt", "{source}.progress", "batch.sqlite", "batch.lock", "{source}_%04d.png",
        "a/" * 2000 + "x.mp4", "{source:/>9}.mp4", "{index:q}.mp4", "\ud800.mp4",
    ],
)  # fmt: skip
def test_templates_that_lead_nowhere(template: str, tmp_path: Path) -> None:
    filled(tmp_path, "me.jpg", "a.mp4")
    with pytest.raises(UsageError) as caught:
        plan_items([str(tmp_path / "me.jpg")], [str(tmp_path / "a.mp4")], None, template)
    assert "output" in caught.value.message
    assert "\n" not in caught.value.line
    if template:
        row = {"source": "a", "driving": "d", "output": template}
        with pytest.raises(UsageError, match=r"pairs.jsonl, line 1, "):
            of_rows(tmp_path, row)


@pytest.mark.parametrize("name", ["CON.mp4", "a b.mp4", "-x.mp4", ".x.mp4", "Grüße 你好 🎬.mp4", "ab:c.mp4", "x/aux"])
def test_odd_names_are_names(name: str, tmp_path: Path) -> None:
    assert of_rows(tmp_path, {"source": "a", "driving": "d", "output": name})[0].output == name


def test_names_of_files_are_data(tmp_path: Path) -> None:
    names = ["-x.jpg", "a\nb.jpg", "{source}{0}.jpg", "\u202egpj.exe.jpg", "~.jpg", "C:x.jpg", "b\\..\\x.jpg"]
    people = filled(tmp_path / "p", *names)
    (Path(os.fsdecode(os.fsencode(people) + b"/bad\xff.jpg"))).touch()
    dances = filled(tmp_path / "d", "d.mp4")
    items = plan_items([str(people)], [str(dances)], None, "{source}.mp4").items
    by_source = {str(item.options["source"][0]).rpartition("/")[2]: item.output for item in items}
    assert len(items) == 8
    assert by_source["a\nb.jpg"] == "a\nb.mp4"
    assert by_source["{source}{0}.jpg"] == "{source}{0}.mp4"
    assert by_source["C:x.jpg"] == "C_x.mp4"
    assert by_source["~.jpg"] == "_.mp4"
    assert by_source["b\\..\\x.jpg"] == "b_.._x.mp4"
    assert by_source["bad\udcff.jpg"] == "bad_.mp4"
    for item in items:
        item.output.encode()
        item.source.encode()


def test_two_of_one_name_get_numbers(tmp_path: Path) -> None:
    composed = unicodedata.normalize("NFC", "é")
    names = ["a.jpg", "A.png", f"{composed}.jpg", unicodedata.normalize("NFD", "é") + ".png", "a_2_d_avatar.jpg"]
    people = filled(tmp_path / "p", *names)
    dances = filled(tmp_path / "d", "d.mp4")
    outputs = [item.output for item in plan_items([str(people)], [str(dances)], None).items]
    assert len({folded(output) for output in outputs}) == len(outputs) == 5
    assert outputs[1].endswith("_d_avatar_2.mp4")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x.mp4", "x.mp4"), ("x.mp4", "X.MP4"), ("sub/x.mp4", "./sub//x.mp4"), ("é.mp4", "e\u0301.mp4"),
        ("frames", "frames/x.mp4"), ("a/b/c.mp4", "A"), ("straße.mp4", "STRASSE.mp4"),
    ],
)  # fmt: skip
def test_two_rows_with_one_output_are_both_named(first: str, second: str, tmp_path: Path) -> None:
    rows = [{"source": "a", "driving": "d", "output": name} for name in ("other.mp4", first, second)]
    with pytest.raises(UsageError, match=r"pairs.jsonl, line 3, column output: .* of .*pairs.jsonl, line 2"):
        of_rows(tmp_path, *rows)


def test_rows_without_outputs_need_names_of_their_own(tmp_path: Path) -> None:
    rows = [{"source": "a", "driving": "d", "fps": fps} for fps in (25, 30)]
    with pytest.raises(UsageError, match=r"line 2, column output: 'a_d_avatar.mp4'") as caught:
        of_rows(tmp_path, *rows)
    assert "{index}" in caught.value.hint
    found = of_rows(tmp_path, *rows, template="{index:02}_{source}.mp4")
    assert [item.output for item in found] == ["01_a.mp4", "02_a.mp4"]


def test_a_row_shows_its_first_source(tmp_path: Path) -> None:
    items = of_rows(
        tmp_path,
        {"source": ["x/ann.front.JPG", "x/b.jpg"], "driving": "d/walk.v2"},
        {"subject": "me.subject", "driving": "s3://b/c.mp4"},
    )
    assert [(item.source, item.driving) for item in items] == [("ann.front", "walk.v2"), ("me", "c")]


def test_no_more_items_than_a_million(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = filled(tmp_path / "c", "a.mp4", "b.mp4", "c.mp4")
    monkeypatch.setattr(module, "MOST_ITEMS", 9)
    assert len(plan_items([str(folder)], [str(folder)], None).items) == 9
    monkeypatch.setattr(module, "MOST_ITEMS", 8)
    with pytest.raises(UsageError, match="3 sources with 3 clips are more than 8 videos"):
        plan_items([str(folder)], [str(folder)], None)


def test_folders_of_shared_storage(monkeypatch: pytest.MonkeyPatch, people: Path) -> None:
    shelves = {
        "s3://b/dances/": ["s3://b/dances/d10.mp4", "s3://b/dances/d9.mp4", "s3://b/dances/f/", "s3://b/dances/e/",
                           "s3://b/dances/x.txt", "s3://b/dances/.y.mp4"],
        "s3://b/dances/f/": ["s3://b/dances/f/0.png"],
        "s3://b/dances/e/": ["s3://b/dances/e/0.txt"],
    }  # fmt: skip
    monkeypatch.setattr(storage, "list_files", shelves.__getitem__)
    plan = plan_items(["gs://c/ann.jpg", str(people / "p2.PNG")], ["s3://b/dances/"], None)
    assert [item.options["driving"] for item in plan.items[:3]] == [
        "s3://b/dances/d9.mp4", "s3://b/dances/d10.mp4", "s3://b/dances/f"
    ]  # fmt: skip
    assert plan.items[0].options["source"] == ("gs://c/ann.jpg",)
    assert [item.output for item in plan.items[2:4]] == ["ann_f_avatar.mp4", "p2_d9_avatar.mp4"]
    assert plan.notes == ("s3://b/dances/: left out, as of no known kind: e, x.txt",)


def leads_inside(name: str) -> bool:
    """As the file system sees it: joined to a folder, it stays in it."""
    whole = os.path.normpath(os.path.join("/out/folder", name))
    return whole.startswith("/out/folder/") and not PurePosixPath(name).is_absolute()


WRITTEN = st.lists(
    st.one_of(st.sampled_from(["..", ".", "/", "\\", "~", "C:", "a", "b.mp4", "\0", "://", "é"]), st.text(max_size=5)),
    max_size=8,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(WRITTEN)
@example("../x.mp4")
@example("a/../../x.mp4")
@example("./~")
@example(".//C:x.mp4")
def test_what_is_let_through_lies_inside(written: str) -> None:
    try:
        name = inside(written)
    except UsageError:
        name = "refused"
    assert leads_inside(name)
    assert "\0" not in name
    assert all(len(part.encode()) <= LONGEST_NAME for part in name.split("/"))
    assert inside(name) == name


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from(["{source}_{driving}.mp4", "{source}/{driving}", "{driving}"]),
)
@example("..", "..", "{source}/{driving}")
@example("~", "~", "{driving}")
def test_names_that_are_filled_in_never_leave_the_folder(source: str, driving: str, template: str) -> None:
    try:
        name = output_name(template, source, driving, "avatar", 1)
    except UsageError:
        name = "refused"
    assert leads_inside(name)
    assert name.count("/") <= template.count("/")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["a.mp4", "A.mp4", "a_2.mp4", "a_3.mp4", "sub/a", "x" * (LONGEST_NAME - 4) + ".mp4"]),
        max_size=12,
    )
)
def test_numbers_make_every_name_another(names: list[str]) -> None:
    numbered = Numbered()
    found = [numbered.once(name) for name in names]
    assert len({folded(name) for name in found}) == len(names)
    assert all(len(PurePosixPath(name).name) <= LONGEST_NAME for name in found)


def test_the_key_of_an_item_is_the_same_in_another_run(people: Path, dances: Path) -> None:
    first, second = (plan_items([str(people)], [str(dances)], None).items for _ in range(2))
    assert [item.key for item in first] == [item.key for item in second]
    assert len({item.key for item in first}) == len(first)
    common: dict[str, Value] = {"smooth": "0.5"}
    others = plan_items([str(people)], [str(dances)], None, common=common).items
    assert not {item.key for item in others} & {item.key for item in first}


def test_an_unreadable_folder_is_told(people: Path, dances: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: str) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(InputError, match="can't be read: Permission denied"):
        plan_items([str(people)], [str(dances)], None)
