"""`undertone detect` and `undertone explain usage`: no row is lost unsaid, nothing is overwritten, and what is written is what was said on the day."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import numpy as np
import pytest

from connectors.records import UsageRows
from ml.usage import DropKind, FeedState
from ml.usage.innocent import Finding
from service.cli import main
from service.cli.explaining import sparkline
from service.cli.usage_file import MOST_DAYS, read_panel
from service.config import settings
from service.errors import BadInput
from service.store import usage
from service.store.pool import transaction
from tests import builders
from tests.ml.usage_panels import steady, thinned

COMMAND = str(Path(sys.executable).with_name("undertone"))
FIRST = date(2025, 3, 3)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS = ["account", "metric", "alerted_on", "onset", "before", "after", "size", "kind", "score", "peers", "sentence"]
HEADER = "account,metric,day,value"


def day(index: int) -> str:
    return str(FIRST + timedelta(index))


def rows(*, accounts: int = 6, days: int = 220, fall: int = 150, kept: float = 0.4, back: int | None = None) -> list[str]:
    """Steady accounts; a0 falls on a day, and comes back on another."""
    share = np.full(days - fall, kept)
    if back:
        share[back - fall :] = 1.0
    panel = thinned(steady(accounts, days=days), 0, fall, share)
    return [f"{panel.accounts[i]},seats,{day(d)},{panel.values[i, d]:.0f}" for i in range(accounts) for d in range(days)]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(lines: list[str], name: str = "u.csv", header: str = HEADER) -> Path:
        path = tmp_path / name
        content = "".join(f"{line}\n" for line in [header, *lines] if line).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


Detect = Callable[..., tuple[int, str, list[dict[str, Any]]]]


@pytest.fixture
def detect(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Detect:
    """The command in this process: exit code, standard error and the lines of the file it wrote."""

    def run(file: Path, *options: str) -> tuple[int, str, list[dict[str, Any]]]:
        monkeypatch.chdir(file.parent)
        monkeypatch.setattr(sys, "argv", ["undertone", "detect", str(file), "--out", "out.jsonl", *options])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code, out = ended.value.code, Path("out.jsonl")
        found = [json.loads(line) for line in out.read_text("utf-8").splitlines()] if out.exists() else []
        return code if isinstance(code, int) else 0, capsys.readouterr().err, found

    return run


def panel_of(file: Path, **limits: int) -> tuple[Any, Any]:
    return read_panel(file, NOW, lambda rows: None, **limits)


# what must not happen


def test_a_steady_file_says_nothing(write, detect):
    code, err, found = detect(write(rows(kept=1.0)))
    assert (code, found) == (0, [])
    assert "0 alerts, 0 recoveries, 0 notes." in err


BAD = {
    "a1,seats,2025-05-01,NaN": "the value is missing or not a number like 12.5",
    "a1,seats,2025-05-01,inf": "the value is missing or not a number like 12.5",
    "a1,seats,2025-05-01,-4": "the value is negative or above 10^15",
    "a1,seats,2025-05-01,1e16": "the value is negative or above 10^15",
    "a1,seats,soon,4": "the day is missing or not a date like 2026-03-31",
    "a1,seats,2999-01-01,4": "the day lies in the future or before 1990",
    ",seats,2025-05-01,4": "the account is missing",
    "a1,,2025-05-01,4": "the metric is missing",
}


def test_bad_rows_cost_no_good_one_are_listed_and_end_in_code_2(write, detect):
    good, _, known = detect(write(rows()))
    code, err, found = detect(write([*rows(), *BAD]), "--rejected", "bad.jsonl")
    assert (good, code) == (0, 2)
    assert found == known
    listed = [json.loads(line) for line in (write([]).parent / "bad.jsonl").read_text().splitlines()]
    assert sorted(row["reason"] for row in listed) == sorted(BAD.values())
    assert {row["row"] for row in listed} == {f"u.csv:{2 + len(rows()) + k}" for k in range(len(BAD))}
    assert f"{len(BAD)} of {len(rows()) + len(BAD):,} rows could not be used; bad.jsonl lists them" in err
    assert "2 left out: the value is negative or above 10^15" in err


def test_of_a_day_that_stands_twice_the_later_row_counts_and_it_is_no_fault(write, detect):
    lines = [f"a0,seats,{day(d)},0" for d in range(150)] + rows()
    code, _, found = detect(write(lines), "--rejected", "replaced.jsonl")
    assert code == 0
    assert found == detect(write(rows(), "once.csv"))[2]
    replaced = [json.loads(line) for line in (write([]).parent / "replaced.jsonl").read_text().splitlines()]
    assert len(replaced) >= 140
    assert all("a later row" in row["reason"] for row in replaced)


def test_days_that_stand_twice_far_apart_are_found_too(write):
    lines = ["a0,seats,2025-03-03,7", *(f"b{k},seats,{day(d)},5" for k in range(400) for d in range(300)), "a0,seats,2025-03-03,9"]
    panel, reading = panel_of(write(lines))
    assert panel.values[panel.accounts.index("a0"), 0] == 9
    assert [row.row for row in reading.replaced] == ["a0 / seats / 2025-03-03"]


def test_a_row_of_another_decade_does_not_stretch_the_panel(write):
    panel, reading = panel_of(write([*rows(), "a0,seats,1991-01-01,3"]))
    assert panel.first_day == FIRST
    assert [row.row for row in reading.left_out] == ["a0 / seats / 1991-01-01"]
    assert panel.values.shape[1] < MOST_DAYS


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("nowhere.csv", None, "There is no file"),
        ("u.csv", "account,day,value\na,2025-01-01,3\n", "has no column metric"),
        ("u.csv", "", "has no column"),
        ("u.csv", f"{HEADER}\n", "holds no row that can be used"),
        ("u.csv", f"{HEADER}\na,m,soon,3\n", "holds no row that can be used: 1 × the day is missing"),
        ("u.csv", "PK\x03\x04nothing", "is a workbook or an archive"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence_and_writes_nothing(tmp_path, name, content, sentence, detect):
    if content is not None:
        (tmp_path / name).write_text(content)
    code, err, found = detect(tmp_path / name)
    assert (code, found) == (2, [])
    assert sentence in err
    assert "Traceback" not in err
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--out", "u.csv"), "is the file that is read"),
        (("--rejected", "u.csv"), "is the file that is read"),
        (("--rejected", "out.jsonl"), "name the same file"),
        (("--start", "soon"), "--start must be a day like"),
        (("--out", "."), "is no ordinary file"),
        (("--budget", "0"), "--budget"),
        (("--budget", "nan"), "--budget"),
    ],
)
def test_options_that_cannot_be_meant_are_refused_and_nothing_is_overwritten(write, options, sentence, detect):
    file = write(rows(days=70, fall=60))
    before = file.read_bytes()
    code, err, _ = detect(file, *options)
    assert code == 2
    assert sentence in err
    assert file.read_bytes() == before


def test_earlier_answers_stay_when_a_run_fails(write, detect):
    file = write(["x"])
    (file.parent / "out.jsonl").write_text('{"kept": 1}\n')
    assert detect(file)[0] == 2
    assert (file.parent / "out.jsonl").read_text() == '{"kept": 1}\n'
    assert sorted(p.name for p in file.parent.iterdir()) == ["out.jsonl", "u.csv"]


# what is written


def test_a_fall_and_its_recovery_are_two_lines_in_the_order_of_their_days(write, detect):
    code, _, found = detect(write(rows(days=260, fall=130, back=190)))
    assert code == 0
    assert [row["kind"] for row in found] == ["seat_loss", "recovery"]
    assert all(list(row)[: len(KEYS)] == KEYS for row in found)
    assert found[0]["alerted_on"] < found[1]["alerted_on"]
    assert all(found[0][key] == found[1][key] for key in ("account", "metric", "onset", "before", "after", "size"))
    assert found[0]["sentence"].startswith("Seats in use at a0 went from about ")
    assert found[1]["sentence"].startswith("Seats in use at a0 came back to about ")
    assert found[1]["now"] == pytest.approx(found[0]["before"], rel=0.25)
    assert {"onset_between", "before_between", "after_between", "innocent"} <= set(found[0]["explanation"])


def test_days_before_the_start_teach_and_are_silent(write, detect):
    file = write(rows(days=260, fall=130, back=190))
    alerted = detect(file)[2][0]["alerted_on"]
    assert len(detect(file, "--start", alerted)[2]) == 2
    assert detect(file, "--start", str(date.fromisoformat(alerted) + timedelta(1)))[2] == []


def test_later_days_of_the_file_change_no_line(write, detect):
    whole = detect(write(rows(days=220)))[2]
    cut = detect(write([line for line in rows(days=220) if line.split(",")[2] < day(190)], "cut.csv"))[2]
    assert cut == [row for row in whole if row["alerted_on"] <= day(190)]
    assert cut


def test_a_larger_budget_never_says_less(write, detect):
    file = write(rows(kept=0.75))
    assert len(detect(file, "--budget", "0.02")[2]) <= len(detect(file, "--budget", "5")[2])


def test_a_unit_that_changes_is_a_note_and_no_drop(write, detect):
    lines = [f"{a},{m},{d},{float(v) / (1000 if a == 'a1' and d >= day(100) else 1)}" for a, m, d, v in (line.split(",") for line in rows(kept=1.0))]
    code, err, found = detect(write(lines))
    assert code == 0
    assert [(row["account"], row["kind"], row["note"], row["onset"]) for row in found] == [("a1", "note", "unit changed?", day(100))]
    assert found[0]["before"] is None
    assert "0 alerts, 0 recoveries, 1 note." in err


@pytest.mark.parametrize("name", ["u.tsv", "u.csv.gz", "u.ndjson", "u.jsonl.gz", "semicolons.csv"])
def test_every_form_of_the_file_says_the_same(write, name, detect):
    plain = detect(write(rows()))[2]
    lines, header = rows(), HEADER
    if "json" in name:
        lines, header = [json.dumps(dict(zip(HEADER.split(","), line.split(","), strict=True))) for line in lines], ""
    elif name != "u.csv.gz":
        mark = "\t" if name == "u.tsv" else ";"
        lines, header = [line.replace(",", mark) for line in lines], HEADER.replace(",", mark)
    assert detect(write(lines, name, header))[2] == plain


def test_standard_output_takes_the_lines_and_standard_error_the_rest(write):
    file = write(rows())
    done = subprocess.run([COMMAND, "detect", str(file)], capture_output=True, text=True, timeout=120, check=False)
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["seat_loss"]
    assert f"{len(rows()):,} of {len(rows()):,} rows used: 6 accounts, 6 series, {FIRST} to {day(219)}." in done.stderr


def test_a_region_column_tells_who_is_whose_peer(write):
    lines = [f"{line},{'DE' if int(line[1]) % 2 else 'US'}" for line in rows(accounts=9)]
    panel, _ = panel_of(write(lines, header=f"{HEADER},Region"))
    assert dict(zip(panel.accounts, panel.region, strict=True)) == {f"a{k}": "DE" if k % 2 else "US" for k in range(9)}
    assert panel_of(write(rows()))[0].region == ("",) * 6


def test_a_cut_gzip_uses_what_came_whole_and_says_so(write, detect):
    file = write(rows(), "u.csv.gz")
    file.write_bytes(file.read_bytes()[:-2000])
    code, err, _ = detect(file)
    assert code == 2
    assert "ends within its compressed data" in err


@pytest.mark.parametrize("cell", ["2026-03-29T02:30:00+01:00", "2026-03-29 02:30", "29.03.2026"])
def test_the_day_on_which_clocks_change_is_one_day(write, cell):
    panel, reading = panel_of(write([f"a,seats,{d},{v}" for d, v in (("2026-02-26", 1), (cell.replace("29", "25").replace("03", "02"), 2), ("2026-02-27", 3))]))
    assert reading.left_out == []
    assert panel.values.tolist() == [[2, 1, 3]]


def test_times_are_added_up_to_the_days_of_utc(write):
    lines = [
        "a,exports,2026-02-27T22:30:00Z,2",
        "a,exports,2026-02-27T23:59:00+00:00,3",
        "a,exports,2026-02-28T00:30:00+01:00,4",
        "a,exports,2026-02-28T09:00:00Z,5",
    ]
    panel, reading = panel_of(write(lines, header="account,metric,at,value"))
    assert panel.values.tolist() == [[9, 5]]
    assert reading.left_out == []


def test_very_many_metrics_are_read_and_one_day_of_each_says_nothing(write, detect):
    lines = [f"a,metric {k},2026-02-01,{k}" for k in range(40_000)]
    panel, reading = panel_of(write(lines))
    assert panel.values.shape == (40_000, 1)
    assert reading.left_out == []
    code, _, found = detect(write(lines))
    assert (code, found) == (0, [])


def test_a_file_too_large_for_memory_gives_up_short_series_first(write):
    lines = [*rows(accounts=3), *(f"x{k},seats,{day(k % 200)},1" for k in range(50))]
    panel, reading = panel_of(write(lines), most_cells=3 * 220)
    assert len(panel.accounts) == 3
    assert len(reading.left_out) == 50
    with pytest.raises(BadInput, match="more than fit"):
        panel_of(write(lines), most_cells=100)


def test_every_kind_state_finding_and_field_is_explained(write, detect):
    text = (Path(__file__).parents[2] / "docs" / "usage.md").read_text("utf-8")
    names = {*get_args(DropKind), *get_args(FeedState), *get_args(Finding), "growth", "recovery", "note"}
    written = detect(write(rows(days=260, fall=130, back=190)))[2]
    fields = {key for row in written for key in row} | set(written[0]["explanation"]) | {"note", "factor"}
    assert {name for name in names | fields if f"`{name}`" not in text} == set()


# explain usage


@pytest.fixture
def undertone(servers, monkeypatch, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["undertone", *arguments])
        monkeypatch.setenv("UNDERTONE_NOW", f"{FIRST + timedelta(220)}T08:00:00+00:00")
        settings.cache_clear()
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            monkeypatch.delenv("UNDERTONE_NOW")
            settings.cache_clear()
        code = ended.value.code
        return (code if isinstance(code, int) else 0, *capsys.readouterr())

    return run


@pytest.fixture
def landed(workspace: UUID) -> str:
    """Seven accounts with usage; Acme 0 lost most of its seats and has a gap of two weeks, Acme 6 has no usage at all."""
    panel = thinned(steady(6, days=220, metrics=("seats", "exports")), 0, 150, 0.3)
    panel.values[0, 56:70] = np.nan
    with transaction(workspace) as db:
        connection = builders.connection(db)
        for k in range(7):
            builders.account(db, connection, key=f"K{k}", name=f"Acme {k}\x1b[31m" if k == 5 else f"Acme {k}")
        places = np.argwhere(np.isfinite(panel.values))
        usage.land_usage(
            db,
            UsageRows(
                accounts=[f"K{panel.accounts[i][1:]}" for i, _ in places],
                metrics=[panel.metrics[i] for i, _ in places],
                days=np.array([np.datetime64(day(int(d))) for _, d in places]),
                values=panel.values[places[:, 0], places[:, 1]].astype(float),
            ),
        )
    return f"test {workspace}"


def test_an_account_is_shown_metric_by_metric_with_its_alerts(undertone, landed):
    code, out, _ = undertone("explain", "usage", "acme 0", "-w", landed)
    assert code == 0
    assert "Acme 0" in out.splitlines()[0]
    seats = out[out.index("seats in use (seats)") :]
    line = next(line for line in seats.splitlines() if line.startswith("  used"))
    assert " " in line[12:43].rstrip()
    assert line[12] in "▅▆▇█"
    assert line[12:43].rstrip()[-1] in "▁▂▃▄"
    assert next(line for line in seats.splitlines() if line.startswith("  expected"))[12:43].rstrip()[-1] in "▅▆▇█"
    assert "Seats in use at Acme 0 went from about 2" in seats
    assert re.search(r"It began (on|between) .* 2\d{3}\. A usual day had \d+ to \d+ before and \d+( to \d+)? after \(each range is right about nine", seats)
    assert re.search(r"That is about \d+ of \d+ people a day\.", seats)
    assert "Beside it: Exports stayed level." in seats
    assert re.search(r"It is held against the other 5 accounts: (no change|\d+% (more|less)) in the same weeks\.", seats)
    assert not re.search(r"\d{4}-\d{2}-\d{2} and|[a-z]+_[a-z]+ [+-]", seats)
    exports = out[out.index("exports (exports)") : out.index("seats in use (seats)")]
    assert "went from" not in exports


def test_an_account_is_found_by_its_key_and_its_id(undertone, landed, workspace):
    with transaction(workspace) as db:
        from service.store import accounts

        account_id = next(str(p.account_id) for p in accounts.profiles(db) if p.key == "K1")
    for name in ("K1", account_id):
        code, out, _ = undertone("explain", "usage", name, "-w", landed)
        assert (code, "Acme 1" in out, "went from" in out) == (0, True, False)


def test_an_account_without_usage_is_unknown_and_not_healthy(undertone, landed):
    code, out, _ = undertone("explain", "usage", "Acme 6", "-w", landed)
    assert (code, "unknown, not healthy" in out) == (0, True)


def test_an_account_that_is_not_there_is_one_sentence(undertone, landed):
    code, _, err = undertone("explain", "usage", "nobody\x1b[31m", "-w", landed)
    assert code == 2
    assert "There is no account" in err
    assert "\x1b" not in err


def test_a_name_with_control_characters_reaches_no_terminal(undertone, landed):
    code, out, _ = undertone("explain", "usage", "K5", "-w", landed)
    assert (code, "\x1b" in out) == (0, False)


def test_a_sparkline_leaves_gaps_and_never_a_nan():
    assert sparkline([0.0, float("nan"), 5.0, 10.0], 10.0) == "▁ ▅█"
    assert sparkline([0.0, 0.0], 0.0) == "▁▁"
    assert sparkline([], 0.0) == ""
