"""Files of a report, without a browser."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.evaluation.published.reader import LABEL, published_tables
from retarget_cli.evaluation.report.csv_format import csv_text
from retarget_cli.evaluation.report.joining import load_sections
from retarget_cli.evaluation.report.markdown import markdown
from retarget_cli.evaluation.report.markup import Markup, content, data_block, filled, tag
from retarget_cli.evaluation.report.writer import write_report
from retarget_cli.evaluation.results import Report


def test_all_files_of_a_run(finished_run: Path, tmp_path: Path) -> None:
    paths = write_report([finished_run], tmp_path / "report", max_videos=0)
    assert [path.name for path in paths] == ["report.json", "report.csv", "clips.csv", "report.md", "report.html"]
    original = Report.load(finished_run / "report.json")
    again = Report.load(tmp_path / "report" / "report.json")
    assert again.overall == original.overall
    rows = list(csv.DictReader((tmp_path / "report" / "clips.csv").read_text("utf-8").splitlines()))
    psnr = [row for row in rows if row["metric"] == "psnr" and row["method"] == "good"]
    assert len(psnr) == 3
    found = original.clips[0].methods["good"].means["psnr"]
    assert any(float(row["mean"]) == pytest.approx(found) for row in psnr)


def test_markdown_says_the_best_the_interval_and_what_is_missing(finished_run: Path) -> None:
    (section,) = load_sections([finished_run])
    text = markdown(section.report)
    lines = [line for line in text.splitlines() if line.startswith("| good")]
    psnr = section.report.overall["good"]["psnr"]
    assert f"**{psnr.mean:.2f}**" in lines[0]
    assert "[" in lines[0]
    assert "PSNR ↑" in text
    assert "L1 ↓" in text
    assert "retarget weights pull alexnet" in text
    assert "no rendered clip of this name" in text
    assert "<script>" not in text


def test_csv_has_a_row_a_method_and_metric(finished_run: Path) -> None:
    (section,) = load_sections([finished_run])
    rows = list(csv.DictReader(csv_text(section.report).splitlines()))
    measured = [row for row in rows if row["mean"]]
    assert {(row["method"], row["metric"]) for row in measured} == {
        (method, key) for method in ("good", "poor") for key in ("l1", "psnr", "ssim", "tcm")
    }
    assert any(row["metric"] == "lpips-alex" for row in rows)


def test_two_runs_of_one_protocol_stand_side_by_side(finished_run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    report = json.loads((finished_run / "report.json").read_text("utf-8"))
    for clip in report["clips"]:
        for scored in clip["methods"].values():
            scored["media"] = ""
    (other / "report.json").write_text(json.dumps(report), "utf-8")
    (section,) = load_sections([finished_run, other])
    assert len(section.report.methods) == 4
    assert len(set(section.report.methods)) == 4
    same = [d for d in section.report.differences if d.metric == "psnr" and d.estimate.mean == 0]
    assert same  # a method against itself in the other run
    report["protocol"]["stride"] = 3
    (other / "report.json").write_text(json.dumps(report), "utf-8")
    assert len(load_sections([finished_run, other])) == 2


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"report\.json"):
        write_report([tmp_path], tmp_path / "out")
    (tmp_path / "report.json").write_text('{"format": "retarget-report", "format_version": 99}', "utf-8")
    with pytest.raises(InputError, match="format 99"):
        write_report([tmp_path], tmp_path / "out")
    (tmp_path / "report.json").write_text('{"format": "retarget-report", "format_version": 1}', "utf-8")
    with pytest.raises(InputError, match="damaged"):
        write_report([tmp_path], tmp_path / "out")
    with pytest.raises(UsageError, match="no run"):
        write_report([], tmp_path / "out")


def test_published_rows_are_told_apart_from_measured_ones() -> None:
    assert LABEL == "published, not measured here"
    tables = published_tables()
    datasets = " ".join(table.dataset for table in tables)
    wanted = ("iPER", "SoloDance", "Youtube-Dancing", "Youtube-Dancer-18", "EDN", "VoxCeleb", "DFDC", "Nemo", "Fashion",
              "AIST", "Tai-Chi", "Bair", "MGif")  # fmt: skip
    known = datasets + " " + " ".join(f"{table.settings} {table.paper} {table.task}" for table in tables)
    assert [name for name in wanted if name.lower() not in known.lower()] == []
    assert all(len(values) == len(table.metrics) for table in tables for _, values in table.rows)


@pytest.mark.parametrize(
    ("dataset", "method", "metric", "value"),
    [
        ("iPER", "Our-AttLWB", "PSNR", "24.513"),
        ("SoloDance", "C2F", "FID", "46.49"),
        ("Youtube-Dancer-18", "SPADE", "SSIM", "0.120"),
    ],
)
def test_published_numbers_are_those_of_the_papers(dataset: str, method: str, metric: str, value: str) -> None:
    found = [
        values[column]
        for table in published_tables()
        if dataset in table.dataset
        for name, values in table.rows
        if name.startswith(method)
        for column, head in enumerate(table.metrics)
        if head.split()[0] == metric
    ]
    assert value in found


def test_every_published_row_is_a_line_of_its_paper() -> None:
    folder = Path(__file__).resolve().parents[4] / "shared" / "papers"
    if not folder.is_dir():
        pytest.skip("the papers' texts are not there")
    papers = {"AttLWB": "liquid-warp", "REMOT": "remot", "FTBN": "bottleneck", "pose2video": "pose2", "SAA": "self"}
    texts = {name: next(folder.glob(f"{start}*.txt")).read_text("utf-8") for name, start in papers.items()}
    lost = []
    for table in published_tables():
        text = next(text for name, text in texts.items() if name in table.paper)
        lines = [re.sub(r"</?b>", "", line) for line in text.splitlines()]
        for method, values in table.rows:
            # One of the papers has its tables column by column: there only the numbers can be found.
            is_whole = "AttLWB" not in table.paper
            row = r"\s+".join(re.escape(each) for each in values)
            where = re.compile(rf"(^|\s){re.escape(method)}( ?\[\d+\])?\s+{row}\s*$") if is_whole else None
            found = any(where.search(line) for line in lines) if where else all(each in text for each in values)
            if not found:
                lost.append((table.number, table.dataset, method))
    assert not lost


def test_markup_can_not_be_broken() -> None:
    assert tag("p", "a < b", class_="x\"y") == '<p class="x&quot;y">a &lt; b</p>'
    assert content(Markup("<b>"), "<i>") == "<b>&lt;i&gt;"
    block = data_block("data", {"name": "</script><script>alert(1)</script>"})
    assert block.count("</script>") == 1
    assert json.loads(block.partition(">")[2].rpartition("<")[0]) == {"name": "</script><script>alert(1)</script>"}
    assert filled("{{ a }}-{{b}}", a="{{b}}", b="x") == "{{b}}-x"
