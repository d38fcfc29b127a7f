"""Pairs files: what they may say, and what is said about those that are wrong."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retarget_cli.batch import pairs as module
from retarget_cli.batch.pairs import Row, read_pairs
from retarget_cli.core.errors import InputError, RetargetError, UsageError


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def told(path: Path, kind: type[RetargetError] = UsageError) -> str:
    """The one line about a file that can't be read."""
    with pytest.raises(kind) as caught:
        read_pairs(path)
    line = caught.value.line
    assert "\n" not in line
    assert str(path) in line
    return line.replace(f"{path.parent}/", "")


def bare(rows: list[Row], folder: Path) -> list[dict[str, object]]:
    """Options with the folder's name taken off again."""
    text = json.dumps([dict(row.options) for row in rows]).replace(f"{folder}/", "")
    found: list[dict[str, object]] = json.loads(text)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.jpg", "dance.mp4"):
        (tmp_path / name).touch()
    return tmp_path


EXPECTED = [
    {"source": ["a.jpg", "b.jpg"], "driving": "dance.mp4", "fps": "30000/1001", "no_audio": "true"},
    {"source": ["a.jpg"], "driving": "dance.mp4", "set": ["x=1", "y=2"]},
]
TABLES = {
    "comma.csv": "source,driving,fps,no-audio,set\na.jpg|b.jpg,dance.mp4,29.97,yes,\na.jpg,dance.mp4,,,x=1|y=2\n",
    "semicolon.csv": "source;driving;fps;no_audio;set\na.jpg|b.jpg;dance.mp4;29.97;1;\na.jpg;dance.mp4;;no;x=1|y=2\n",
    "tab.csv": "source\tdriving\tfps\tno_audio\tset\n"
    "a.jpg|b.jpg\tdance.mp4\t29.97\ttrue\t\n\na.jpg\tdance.mp4\t\t\tx=1|y=2",
    "bom.csv": "\ufeffsource,source,driving,fps,no_audio,set,set\r\na.jpg,b.jpg,dance.mp4,29.97,on,,\r\n"
    'a.jpg,,"dance.mp4",,off,x=1,y=2\r\n',
    "spaced.csv": "\nsource, driving, fps, no_audio, set\n"
    "a.jpg|b.jpg, dance.mp4, 29.97, yes,\na.jpg, dance.mp4,,,x=1|y=2\n",
    "rows.jsonl": '{"source": ["a.jpg", "b.jpg"], "driving": "dance.mp4", "fps": 29.97, "no_audio": true}\n\n'
    '{"source": "a.jpg", "driving": "dance.mp4", "fps": null, "no_audio": false, "set": ["x=1", "y=2"]}\n',
    "rows.yaml": "# two\n- source: [a.jpg, b.jpg]\n  driving: dance.mp4\n  fps: 29.97\n  no-audio: yes\n"
    "- {source: a.jpg, driving: 'dance.mp4', fps: , no_audio: ~, set: [x=1, y=2]}\n",
    "rows.yml": "---\n-\n  source:\n  - a.jpg\n  - b.jpg\n  driving: dance.mp4\n  fps: 29.97\n  no_audio: on\n"
    "- source: a.jpg\n  driving: dance.mp4\n  set:\n    - x=1\n    - y=2\n...\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_the_same_rows_in_every_kind_of_file(name: str, folder: Path) -> None:
    rows = read_pairs(written(folder, name, TABLES[name]))
    assert bare(rows, folder) == EXPECTED
    assert all(row.place.startswith(f"{folder / name}, line ") for row in rows)


@pytest.mark.parametrize(
    ("name", "lines"),
    [("comma.csv", (2, 3)), ("tab.csv", (2, 4)), ("spaced.csv", (3, 4)), ("rows.jsonl", (1, 3)), ("rows.yaml", (2, 6))],
)
def test_rows_know_their_lines(name: str, lines: tuple[int, ...], folder: Path) -> None:
    rows = read_pairs(written(folder, name, TABLES[name]))
    assert [int(row.place.rpartition(" ")[2]) for row in rows] == list(lines)


def test_a_value_over_several_lines_moves_those_below(folder: Path) -> None:
    path = written(folder, "p.csv", 'source,driving,fps\n"a\nb.jpg",d,\na,d,abc\n')
    assert "p.csv, line 4, column fps: 'abc'" in told(path)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("p.csv", "source,driving,fps\na,d,25\na,d,abc\n", "p.csv, line 3, column fps: 'abc' is no rate; write 30, 29"),
        ("p.csv", "sorce,driving\na,d\n", "p.csv, line 1, column 'sorce' is unknown (did you mean source?)"),
        ("p.csv", "source\na\n", "p.csv, line 1: there is no column driving"),
        ("p.csv", "source,driving,fps,fps\na,d,1,2\n", "p.csv, line 1, column fps: stands there twice"),
        ("p.csv", "source,driving\n,d\n", "p.csv, line 2, column source: is empty"),
        ("p.csv", "source,driving\na,\n", "p.csv, line 2, column driving: is empty"),
        ("p.csv", "driving\nd\n", "p.csv, line 2, column source: is empty"),
        ("p.jsonl", '{"source": "a"}', "p.jsonl, line 1, column driving: is empty"),
        ("p.jsonl", '\n{"source": "a", "driving": "d", "fps": [1, 2]}', "p.jsonl, line 2, column fps: has 2 values"),
        ("p.jsonl", '{"driving": "d", "driving": "e"}', "p.jsonl, line 1, column driving: stands there twice"),
        ("p.jsonl", '{"driving": {"a": 1}}', "p.jsonl, line 1, column driving: expected a text"),
        ("p.jsonl", '{"driving": [["a"]]}', "p.jsonl, line 1, column driving: expected a text"),
        ("p.jsonl", '{"fps": NaN, "source": "a", "driving": "d"}', "p.jsonl, line 1, column fps: 'NaN' is no rate"),
        ("p.yaml", "- source: a\n  drivin: d\n", "p.yaml, line 2, column 'drivin' is unknown (did you mean driving?)"),
        ("p.yaml", "- source: a\n  source: b\n", "p.yaml, line 2, column source: stands there twice"),
        ("p.yaml", "- source: a\n  driving: d\n- source: a\n  driving: d\n  crf: 99\n", "p.yaml, line 3, column crf"),
    ],
)
def test_faults_name_line_and_column(name: str, content: str, line: str, folder: Path) -> None:
    assert line in told(written(folder, name, content))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("p.csv", "", "asks for no video"),
        ("p.csv", "\n \n", "asks for no video"),
        ("p.csv", "source,driving\n", "asks for no video"),
        ("p.jsonl", "", "asks for no video"),
        ("p.yaml", "", "asks for no video"),
        ("p.yaml", "# nothing\n", "asks for no video"),
        ("p.yaml", "[]\n", "asks for no video"),
        ("p.csv", "source,driving\na,d,e\n", "line 2: has 3 values, the first line has 2 columns"),
        ("p.csv", "source,driving\na\n", "line 2: has 1 values"),
        ("p.csv", 'source,driving\n"a,d\n', "line 2: unexpected end of data"),
        ("p.csv", 'source,driving\na,"d"x\n', "line 2: "),
        ("p.csv", "source,driving\ra,d\r", "line 1: "),
        ("p.csv", "source,driving\nGrüße,d\n".encode("latin-1"), "line 2, byte 3: 0xfc is no UTF-8"),
        ("p.csv", "source,driving\na,d\n".encode("utf-16"), "line 1: holds NUL bytes or UTF-16"),
        ("p.csv", b"source,driving\na\0,d\n", "line 2: holds NUL"),
        ("p.csv", b"source,driving\n" + b"a" * 70_000, "line 2: is longer than 65536 bytes"),
        ("p.csv", b"PK\x03\x04\x14\x00\x00\x00", "line 1: holds NUL"),
        ("p.jsonl", '{"source": "a",}', "line 1, character"),
        ("p.jsonl", '{"a": 1}\n'[:-4], "line 1, character"),
        ("p.jsonl", "[1]", "line 1: is no object"),
        ("p.jsonl", '"x"', "line 1: is no object"),
        ("p.jsonl", "[" * 60_000, "line 1: is no object"),
        ("p.yaml", "source: a\ndriving: d\n", "line 1: expected a list of rows"),
        ("p.yaml", "- a\n", "line 1: expected a row of names and values"),
        ("p.yaml", "- source: {a: b}\n", "line 1: column source: expected one value or a list"),
        ("p.yaml", "- source: [[a]]\n", "line 1: column source: expected one value or a list"),
        ("p.yaml", "- ? [a]\n  : b\n", "line 1: expected the name of a column"),
        ("p.yaml", "- source: &x a\n  driving: *x\n", "line 1: anchors and aliases are not read"),
        ("p.yaml", "- source: a\n  driving: *x\n", "line 2: anchors and aliases are not read"),
        ("p.yaml", "&x [*x]\n", "anchors and aliases are not read"),
        ("p.yaml", "- source: !!python/object/apply:os.system [x]\n", "line 1: tags are not read"),
        ("p.yaml", "- !!map {source: a}\n", "tags are not read"),
        ("p.yaml", "- source: a\n  driving: d\n---\n- source: b\n", "expected one document"),
        ("p.yaml", "- source: a\n   driving: d\n", "line 2: "),
        ("p.yaml", "- source: 'a\n", "line "),
        ("p.yaml", "[" * 60_000, "line 1: expected a row"),
        ("p.yaml", "- source: \x07\n", "p.yaml"),
        ("p.txt", "source,driving\n", ".txt is no kind of pairs file"),
        ("pairs", "source,driving\n", "no ending is no kind of pairs file"),
    ],
)
def test_files_that_are_no_pairs(name: str, content: str | bytes, reason: str, folder: Path) -> None:
    line = told(written(folder, name, content), InputError)
    assert reason in line
    assert len(line) < 400


def test_a_file_that_is_not_there_or_a_folder(folder: Path) -> None:
    assert "No such file" in told(folder / "none.csv", InputError)
    (folder / "f.csv").mkdir()
    assert "directory" in told(folder / "f.csv", InputError)


def test_too_many_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    path = written(folder, "p.csv", "source,driving\n" + "a,d\n" * 3)
    assert len(read_pairs(path)) == 3
    longer = written(folder, "p.csv", path.read_text() + "a,d\n")
    assert "p.csv, line 5: there are more than 3 rows" in told(longer, InputError)


def test_relative_paths_count_from_the_file_and_then_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there [1]"
    for name in ("here/both.jpg", "here/only here.mp4", "there [1]/both.jpg", "there [1]/a[b].jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.chdir(here)
    rows = [
        {"source": "both.jpg", "driving": "only here.mp4", "background": "driving", "audio": "nowhere.wav"},
        {"source": ["a[b].jpg", str(here / "both.jpg"), "s3://bucket/a*.jpg"], "driving": "gs://b/c.mp4"},
    ]
    path = written(there, "p.jsonl", "\n".join(map(json.dumps, rows)))
    first, second = (row.options for row in read_pairs(path))
    assert first == {
        "source": (f"{there}/both.jpg",),
        "driving": f"{here}/only here.mp4",
        "background": "driving",
        "audio": f"{here}/nowhere.wav",
    }
    assert second["source"] == (f"{there}/a[b].jpg", f"{here}/both.jpg", "s3://bucket/a*.jpg")
    assert second["driving"] == "gs://b/c.mp4"


def test_globs_are_unfolded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inside = tmp_path / "[in]"
    for name in ("p/b.jpg", "p/a.jpg", "q/a.jpg", "p/c.png"):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).touch()
    rows = [{"source": text, "driving": "d"} for text in ("p/*.jpg", "*/a.jpg", "none*.jpg", f"{tmp_path}/?in]/p/c*")]
    found = read_pairs(written(inside, "p.jsonl", "\n".join(map(json.dumps, rows))))
    assert [row.options["source"] for row in found] == [
        (f"{inside}/p/a.jpg", f"{inside}/p/b.jpg"),
        (f"{inside}/p/a.jpg", f"{inside}/q/a.jpg"),
        (f"{tmp_path}/none*.jpg",),
        (f"{tmp_path}/[in]/p/c.png",),
    ]


def test_outputs_stand_apart(folder: Path) -> None:
    table = "source,driving,output\na.jpg,dance.mp4,x/{source}.mp4\na.jpg,dance.mp4,\n"
    rows = read_pairs(written(folder, "p.csv", table))
    assert [row.output for row in rows] == ["x/{source}.mp4", ""]
    assert all("output" not in row.options for row in rows)


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0/*?["), min_size=1, max_size=40).filter(
    lambda name: name.strip() and name not in {".", ".."}
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=NAMES, driving=NAMES)
def test_names_are_data(source: str, driving: str, folder: Path) -> None:
    path = written(folder, "n.jsonl", json.dumps({"source": source, "driving": driving}))
    row = read_pairs(path)[0]
    assert row.options == {"source": (str(Path.cwd() / source),), "driving": str(Path.cwd() / driving)}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.text(string.printable, max_size=200).map(str.encode),
        st.text("-: []{}&*!|>'\"\n abc,source", max_size=100).map(lambda text: f"- source: {text}".encode()),
    ),
    kind=st.sampled_from(module.KINDS),
)
def test_whatever_stands_in_a_file_one_clear_line_comes_of_it(content: bytes, kind: str, folder: Path) -> None:
    path = written(folder, f"x{kind}", content)
    line = f"{path}: read"
    try:
        rows = len(read_pairs(path))
    except RetargetError as error:
        rows, line = 1, error.line
    assert rows
    assert str(path) in line
    assert "\n" not in line
