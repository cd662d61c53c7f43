"""The report, from stored figures: no loss is left out, the page stands alone, a failing suite loses no other."""

import json
import re
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from html import unescape
from html.parser import HTMLParser

import pytest

from bench import reports
from bench.report import Row, data, environment
from bench.reports import findings, html, markdown, pictures, suites, words
from bench.reports.findings import TO, Comparison
from bench.scaling.result import Point
from bench.timing import Spread

WHERE = {
    "date": "2026-01-02T03:04:05+00:00",
    "processor": "Some CPU",
    "cores": 2,
    "load": [0.5, 0.4, 0.3],
    "system": "Linux-x",
    "python": "3.12.0",
    "versions": {"numpy": "2.4.6", "torch": "2.13.0"},
}


def timed(case, **seconds):
    named = {k.replace("_", "."): v for k, v in seconds.items()}
    return {"case": case, "rows": [], "notes": [], "threads": 2, "bytes": 0, "seconds": named}


def row(what, median, target=None, unit="us"):
    return data(Row(what, Spread(median, median, median), unit, target))


def stored(case, *results, **more):
    return {"case": case, "environment": WHERE, "results": list(results), "command": f"python -m bench {case}"} | more


SUITES = [
    stored(
        "kernels",
        timed("far ahead", ours=[1e-3, 1e-3, 1e-3], torch=[2e-3, 2e-3, 2e-3], NumPy=[4e-3, 4e-3, 4e-3]),
        timed("lost little", ours=[3e-3, 3.3e-3, 2.7e-3], torch=[2e-3, 2e-3, 2e-3], jax_jit=[9e-3] * 3),
        timed("lost much", ours=[16.0], NumPy=[1.0]),
        timed("alone", ours=[1.0]),
        {**timed("startup"), "rows": [row("import | autograd", 190.0, 150.0, "ms"), row("one | add", 1.0, 1.2)]},
        seconds=61.4,
    ),
    stored("memory", {**timed("LeNet"), "rows": [row(f"LeNet, peak{TO}torch", 1.5, 1.2, "times"), row("L: ours", 9)]}),
    stored("tape", row("record", 1.3, 1.2), row("a + b of NumPy", 0.3)),
    stored("steps", error="It ended with exit code 1.\nValueError: <no> such & model"),
]  # fmt: skip
LOST = ["lost little", "lost much", "LeNet, peak"]
MISSED = ["import | autograd", f"LeNet, peak{TO}torch", "record"]


def lines_of(page, what, verdict):
    return [line for line in page.splitlines() if what in line and verdict in line]


@pytest.fixture(params=[markdown, html], ids=["Markdown", "HTML"])
def page(request):
    return unescape(request.param.page(SUITES)).replace("\\|", "|")


def test_every_loss_is_shown(page):
    found = [c for suite in SUITES for c in findings.comparisons(suite)]
    assert [c.what for c in found if not c.won] == LOST
    for what in LOST:
        assert lines_of(page, what, "slower")
    assert not lines_of(page, "far ahead", "slower")


def test_every_missed_promise_is_shown(page):
    assert [r.what for suite in SUITES for r in findings.promises(suite) if r.verdict == "missed"] == MISSED
    for what in MISSED:
        assert lines_of(page, what, "missed")


def test_every_other_figure_is_shown(page):
    for suite in SUITES:
        for r in findings.others(suite):
            assert r.what in page


def test_command_machine_versions_and_date_are_shown(page):
    for suite in SUITES:
        assert page.count(f"python -m bench {suite['case']}") >= 1
    for part in ("Some CPU", "2 cores", "load 0.5", "Python 3.12.0", "torch 2.13.0", "2026-01-02T03:04:05", "61 s"):
        assert part in page


def test_an_error_is_shown_and_loses_nothing(page):
    assert "ValueError: <no> such & model" in page
    assert "steps" in page
    assert "far ahead" in page


def test_a_busy_machine_is_named_on_every_page():
    assert "trust none of it" not in markdown.page(SUITES) + html.page(SUITES) + markdown.block(SUITES)
    busy = [SUITES[0] | {"environment": WHERE | {"load": [1.7, 0, 0]}}]
    for text in (markdown.page(busy), html.page(busy), markdown.block(busy)):
        assert "busy before this began (load 1.7 on 2 cores)" in text


def test_the_summary_counts():
    s = findings.summary(SUITES[0])
    assert (s.compared, s.faster, s.kept, s.promised) == (3, 1, 1, 2)
    assert s.mean == pytest.approx((0.5 * 1.5 * 16) ** (1 / 3))
    assert (s.best.what, s.worst.what) == ("far ahead", "lost much")
    line = next(line for line in markdown.summary(SUITES).splitlines() if line.startswith("| kernels"))
    assert line == "| kernels | 3 | 1 | 2 | 2.29 | 0.50 (far ahead, torch) | 16.0 (lost much, NumPy) | 1 of 2 |"


def test_ours_is_compared_with_the_fastest_peer_round_by_round():
    c = findings.compared(timed("x", ours=[2.0, 30.0, 4.0], torch=[1.0, 10.0, 1.0], torch_compile=[5.0] * 3))
    assert (c.peer, c.ratio.median) == ("torch", 3.0)
    assert c.medians == {"ours": 4.0, "torch": 1.0, "torch.compile": 5.0}
    assert findings.compared(timed("x", torch=[1.0])) is None
    assert findings.compared(timed("x", ours=[1.0], copy=[0.1])) is None


def test_sides_of_ours_are_no_peers():
    found = {"ours": [2.0], "ours, compiled": [1.0], "eager": [0.1], "micrograd, one number": [0.1], "NumPy": [4.0]}
    c = findings.compared({"case": "x", "seconds": found})
    assert (c.peer, c.ratio.median) == ("NumPy", 0.25)
    assert findings.labels([c]) == ["ours", "ours, compiled", "NumPy", "eager", "micrograd, one number"]


def test_a_ratio_of_one_is_no_loss():
    assert Comparison("x", "torch", Spread(1.0, 0.9, 1.1), {}).won


# ---- HTML


class Reader(HTMLParser):
    """What a browser would fetch, and whether tags close."""

    def __init__(self):
        super().__init__()
        self.fetched, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href", "data", "action", "srcset")]
        self.fetched += [tag] if tag in ("script", "link", "iframe", "object", "img") else []
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def growing():
    found = [
        asdict(Point(f"depth {n}", "depth", n, seconds={"ours": [n * 1e-6], "torch": [n * 3e-6], "NumPy": [n * 1e-7]}))
        for n in (1, 10, 1000)
    ]
    return stored("scaling", *found, asdict(Point("depth", "depth", notes=["tinygrad is absent: not installed."])))


def test_the_page_is_whole_and_fetches_nothing():
    page = html.page([*SUITES, growing()])
    reader = Reader()
    reader.feed(page)
    assert reader.fetched == []
    assert reader.open == []
    assert not re.search(r"https?:|url\(|@import", page)


def test_the_page_has_a_bar_for_each_comparison_and_a_curve_for_each_side():
    page = html.page([*SUITES, growing()])
    assert (page.count('class="win"'), page.count('class="loss"')) == (1, 3)
    assert page.count("<polyline") == 3
    assert page.count("<circle") == 9
    assert "tinygrad is absent: not installed." in page
    assert "depth: seconds by size" in page


def test_bars_point_left_where_ours_is_faster():
    picture = pictures.bars(
        [Comparison("a", "torch", Spread(0.5, 0.4, 0.6), {}), Comparison("b", "torch", Spread(2, 2, 2), {})]
    )
    (left, wide), (right, same) = re.findall(r'x="([\d.]+)" y="\d+" width="([\d.]+)"', picture)
    assert (float(left) + float(wide), wide) == (pytest.approx(float(right)), same)


def test_costs_of_one_size_are_no_error():
    assert "<circle" in pictures.growth({"ours": [(1, 1e-6)]}, "one size")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0.00 us"), (1.5e-6, "1.50 us"), (0.0123, "12.3 ms"), (0.9996, "1000 ms"), (321.0, "321 s")],
)
def test_times_are_written_in_their_unit(seconds, said):
    assert words.time(seconds) == said


# ---- the README


def test_the_readme_gets_the_summary_between_its_comments():
    before = f"# a\n\n{markdown.BEGIN}\nold 9.99\n{markdown.END}\n\nb\n"
    after = markdown.quoted(before, SUITES)
    assert after.startswith(f"# a\n\n{markdown.BEGIN}\n\n`python -m bench report`, ")
    assert after.endswith(f"{markdown.END}\n\nb\n")
    assert "old" not in after
    assert markdown.summary(SUITES) in after
    assert "2026-01-02, Some CPU, 2 cores" in after
    assert markdown.quoted(after, SUITES) == after
    assert markdown.summary(SUITES) in markdown.page(SUITES)  # the same figures


@pytest.mark.parametrize(
    "text", ["", markdown.BEGIN, f"{markdown.END}{markdown.BEGIN}", f"{markdown.BEGIN}{markdown.BEGIN}{markdown.END}"]
)
def test_a_readme_without_its_comments_is_refused(text):
    with pytest.raises(ValueError, match="Expected one line <!-- measured: begin -->"):
        markdown.quoted(text, SUITES)


# ---- files


def given(*arguments):
    parser = ArgumentParser()
    reports.options(parser)
    return parser.parse_args([str(a) for a in arguments])


def test_files_of_suites_are_collected_in_order_and_written(tmp_path, capsys):
    source = tmp_path / "from"
    source.mkdir()
    for suite in SUITES:
        (source / f"{suite['case']}.json").write_text(json.dumps(suite))
    (source / "broken.json").write_text("{")
    (source / "other.json").write_text('{"something": 1}')
    assert reports.main(given("--from", source, "--to", tmp_path / "to")) == 1  # steps has no figures
    found = suites.collected(tmp_path / "to" / "measured.json")
    assert [one["case"] for one in found] == ["tape", "memory", "steps", "kernels"]
    assert (tmp_path / "to" / "measured.md").read_text() == markdown.page(found)
    assert (tmp_path / "to" / "measured.html").read_text() == html.page(found)
    assert "without figures: steps" in capsys.readouterr().err


def test_an_empty_folder_is_refused(tmp_path, capsys):
    assert reports.main(given("--from", tmp_path)) == 2
    assert "holds no figures. Write them with python -m bench CASE --json" in capsys.readouterr().err


def test_figures_are_stored_line_by_line_with_five_digits():
    text = reports.dumped(reports.stored([stored("tape", row("a", 1.23456789), row("b", 2.0))]))
    assert [json.loads(text)["suites"][0]["results"][k]["figure"]["median"] for k in (0, 1)] == [1.2346, 2.0]
    assert sum('"what"' in line for line in text.splitlines()) == 2


# ---- running


def fake_bench(tmp_path, monkeypatch, program):
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__main__.py").write_text(program)
    monkeypatch.setattr(suites, "ROOT", tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)


FAKE = """
import json, subprocess, sys, time
case, file = sys.argv[1], sys.argv[-1]
if case == "train":
    sys.exit("it broke\\nfor a reason")
if case == "memory":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(60)
if case != "steps":
    json.dump({"case": case, "environment": {"date": "d"}, "results": [{"words": sys.argv[2:-2]}]}, open(file, "w"))
"""


def test_a_suite_that_fails_hangs_or_is_silent_loses_no_other(tmp_path, monkeypatch, capsys):
    fake_bench(tmp_path, monkeypatch, FAKE)
    monkeypatch.setattr(suites, "TOTAL", 8.0)
    names = ["tape", "train", "memory", "steps", "kernels"]
    found = {one["case"]: one for one in suites.run_all(names, extra={"kernels": ["--only", "exp"]})}
    assert list(found) == names
    assert found["tape"]["results"] == [{"words": ["--repeats", "15"]}]
    assert found["kernels"]["command"] == "python -m bench kernels --quick --only exp"
    assert found["kernels"]["results"] == [{"words": ["--quick", "--only", "exp"]}]
    assert found["train"]["error"] == "It ended with exit code 1.\nit broke\nfor a reason"
    assert found["memory"]["error"].startswith("It was stopped after ")
    assert found["steps"]["error"] == "It wrote no figures."
    assert all(one["environment"]["date"] for one in found.values())
    assert found["memory"]["seconds"] < 8
    assert "train" in capsys.readouterr().out
    page = markdown.page([{"environment": environment()} | one for one in found.values() if "error" in one])
    assert page.count("**It failed:**") == 3


def test_the_quick_suites_have_twenty_minutes_together():
    assert suites.TOTAL <= 20 * 60
    assert sum(suite.share for suite in suites.SUITES.values()) == suites.TOTAL
    steps = {"steps", "conditions", "train"}
    checks = {"derivatives", "gradcheck"}
    assert set(suites.SUITES) == {"kernels", "layers", *steps, "scaling", "memory", "tape", *checks}


def test_options_of_the_suites_exist():
    for name in suites.SUITES:
        command = [sys.executable, "-m", "bench", *suites.command(name, True, {}), "--help"]
        assert subprocess.run(command, cwd=suites.ROOT, capture_output=True, check=False).returncode == 0
