"""Pictures of usage: what must not be drawn first, then that what is drawn is what the detector saw and said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID
from zlib import crc32

import numpy as np
import pytest

from connectors.records import Account, UsageRows
from ml.evaluate.usage.workspaces import make_workspace
from ml.usage import DEFAULT_BUDGET, Panel
from ml.usage.cohort import FOLDS
from ml.usage.tell import Teller
from service import keys
from service.config import real_time
from service.console import figures, overview, pictures, story
from service.console.pictures import MetricView, Pictures
from service.console.session import COOKIE
from service.playbook import describe
from service.store import accounts, landing, usage, usage_catalogue, usage_pictures, usage_tracking
from service.store.pool import Db, transaction
from service.usage import advance
from service.usage_tracker import Live, alert_of
from tests import builders
from tests.chromium import chromium
from tests.client import TestClient, serving
from tests.ml.usage_panels import steady, thinned

FALLEN = "account 00"
GAP = slice(100, 111)


@cache
def made() -> Panel:
    """Thirty accounts, of which some fall; the first has days without data and falls so far that nobody could miss it."""
    panel = make_workspace(3, accounts=30, days=330, drops=9).panel
    for metric_row in range(3):
        panel = thinned(panel, metric_row, 210, 0.25)
    panel.values[:3, GAP] = np.nan
    return panel


FIRST, DAYS = date(2025, 3, 3), 330
TODAY = FIRST + timedelta(days=DAYS)


def landed(db: Db, rows: list[tuple[str, str, date, float]]) -> None:
    names, metrics, days, values = zip(*rows, strict=True)
    usage.land_usage(db, UsageRows(accounts=list(names), metrics=list(metrics), days=np.array(days, "datetime64[D]"), values=np.array(values)))


def rows_of(panel: Panel, first: int = 0, last: int | None = None) -> list[tuple[str, str, date, float]]:
    found = np.argwhere(np.isfinite(panel.values[:, first:last])).tolist()
    return [(panel.accounts[i], panel.metrics[i], FIRST + timedelta(days=first + d), float(panel.values[i, first + d])) for i, d in found]


def known(workspace: UUID, regions: dict[str, str]) -> dict[str, UUID]:
    with transaction(workspace) as db:
        landing.land(db, builders.connection(db), Account, [Account(key=name, name=name, region=region) for name, region in regions.items()])
        return {p.key: p.account_id for p in accounts.profiles(db)}


def morning_after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def watched(servers: str) -> tuple[UUID, dict[str, UUID]]:
    """A workspace whose year was read day by day, and its accounts by name."""
    workspace = builders.workspace()
    ids = known(workspace, dict(zip(made().accounts, made().region, strict=True)))
    with transaction(workspace) as db:
        landed(db, rows_of(made()))
    advance(workspace, morning_after(TODAY - timedelta(days=1)), fresh=True)
    return workspace, ids


def drawn(workspace: UUID, account_id: UUID, today: date = TODAY) -> Pictures:
    with transaction(workspace) as db:
        return pictures.read(db, account_id, "Acme", today)


def figures_of(workspace: UUID, account_id: UUID, today: date = TODAY) -> dict[str, Any]:
    """By title."""
    with transaction(workspace) as db:
        return {figure["title"]: figure for figure in figures.read(db, account_id, "Acme", today)}


def metric(found: Pictures, title: str) -> MetricView:
    return next(m for m in found.drawn if m.title == title)


def at(figure: dict[str, Any], view: str, row: str) -> dict[date, float | None]:
    first = date.fromisoformat(figure["first"])
    return dict(zip((first + timedelta(days=d) for d in figure["day"]), figure[view][row], strict=True))


# what must not be drawn


def test_a_gap_is_never_drawn_as_zero(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    for figure in figures_of(workspace, ids[FALLEN]).values():
        for kind in ("mean", "each"):
            for row in ("used", "low", "high"):
                values = at(figure, kind, row)
                assert {values[FIRST + timedelta(days=d)] for d in range(GAP.start, GAP.stop)} == {None}
        around = [v for day, v in at(figure, "mean", "used").items() if v is not None and day < FIRST + timedelta(days=200)]
        assert min(around) > 0


def test_nothing_of_another_workspace_is_ever_seen(watched: tuple[UUID, dict[str, UUID]], workspace: UUID) -> None:
    _, theirs = watched
    ours = known(workspace, {FALLEN: "DE", "beside": "DE"})
    with transaction(workspace) as db:
        landed(db, [(name, "seats", TODAY - timedelta(days=n), 5.0) for name in ours for n in range(1, 50)])
        assert pictures.read(db, theirs[FALLEN], "Acme", TODAY).drawn == ()
        assert figures.read(db, theirs[FALLEN], "Acme", TODAY) == []
        assert usage_pictures.lines(db, TODAY, list(theirs.values()), 4) == {}
        assert {p.account_id for p in usage_pictures.peers(db, ours[FALLEN], "DE", ["seats"], 400)} == {ours["beside"]}
        assert usage_tracking.alerts(db, list(theirs.values())) == []
    found = drawn(workspace, ours[FALLEN])
    assert [m.title for m in found.drawn] == ["Seats in use"]
    assert {v for v in figures_of(workspace, ours[FALLEN])["Seats in use"]["each"]["used"] if v is not None} == {5.0}


def test_a_day_without_a_record_shows_no_band(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    with transaction(workspace) as db:
        landed(db, [(FALLEN, "active_seats", TODAY + timedelta(days=n), 9.0) for n in range(2)])
        found = next(f for f in figures.read(db, ids[FALLEN], "Acme", TODAY + timedelta(days=2)) if f["title"] == "Seats in use")
        db.rollback()
    for view in ("mean", "each"):
        low, used = at(found, view, "low"), at(found, view, "used")
        assert low[TODAY - timedelta(days=1)] is not None
        assert [low[TODAY + timedelta(days=n)] for n in range(2)] == [None, None]
        assert used[TODAY + timedelta(days=1)] is not None


def test_without_any_closed_day_there_is_a_line_and_no_band(workspace: UUID) -> None:
    ids = known(workspace, {"A": ""})
    with transaction(workspace) as db:
        landed(db, [("A", "seats", TODAY - timedelta(days=n), 5.0) for n in range(1, 100)])
    assert drawn(workspace, ids["A"]).drawn[0].trouble == "no day has been judged yet"
    [figure] = figures_of(workspace, ids["A"]).values()
    assert set(figure["mean"]["low"]) == set(figure["each"]["high"]) == {None}
    assert set(figure["mean"]["used"][1:]) == {5.0}


def test_the_unfinished_day_and_what_is_older_than_a_year_are_not_drawn(workspace: UUID) -> None:
    ids = known(workspace, {"A": ""})
    with transaction(workspace) as db:
        landed(db, [("A", "seats", TODAY - timedelta(days=n), 5.0) for n in range(-1, 500)])
    days = at(next(iter(figures_of(workspace, ids["A"]).values())), "each", "used")
    assert (min(days), max(days)) == (TODAY - timedelta(days=365), TODAY - timedelta(days=1))


def test_weekends_that_an_office_never_reports_are_no_holes(workspace: UUID) -> None:
    ids = known(workspace, {"A": ""})
    with transaction(workspace) as db:
        landed(db, [("A", "seats", day, 5.0) for n in range(1, 100) if (day := TODAY - timedelta(days=n)).weekday() < 5])
    used = at(next(iter(figures_of(workspace, ids["A"]).values())), "mean", "used")
    assert set(list(used.values())[1:]) == {5.0}
    assert {day.weekday() for day in used} == {0, 1, 2, 3, 4}


def test_holidays_have_no_band(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    germans = next(name for name, region in zip(made().accounts, made().region, strict=True) if region == "DE" and name != FALLEN)
    low = at(next(iter(figures_of(workspace, ids[germans]).values())), "each", "low")
    assert [low[day] for day in (date(2025, 10, 3), date(2025, 12, 25), date(2026, 1, 1))] == [None, None, None]
    assert low[date(2025, 10, 8)] is not None


def test_an_account_without_usage_has_no_pictures(watched: tuple[UUID, dict[str, UUID]], workspace: UUID) -> None:
    ids = known(workspace, {"A": ""})
    assert drawn(workspace, ids["A"]) == Pictures(drawn=(), more=(), beyond=0)


# what is drawn


def test_the_records_cut_out_for_an_account_are_those_of_the_detector(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    with transaction(workspace) as db:
        live = Live.restore(db, DEFAULT_BUDGET)
        assert live is not None
        series = usage_pictures.drawn(db, ids[FALLEN], FIRST, 60)
        numbers = np.array([s.series_no for s in series])
        fold = crc32(FALLEN.encode()) % FOLDS
        records = usage_pictures.records(db, series, fold, FIRST, TODAY - timedelta(days=1))
        factors = live.factors_of(db, numbers, FIRST)
    assert records.known.all()
    judged = ~records.shut.T & (factors > 0)
    np.testing.assert_array_equal(records.factor.T[judged], factors[judged])
    assert (fold == live.tracker.peers.fold[numbers]).all()
    np.testing.assert_array_equal(records.week[-1], live.tracker.cohort.week[live.tracker.peers.cell[numbers]])


def test_a_cell_that_is_newer_than_the_day_stands_for_its_regions(workspace: UUID) -> None:
    panel = made()
    ids = known(workspace, dict(zip(panel.accounts, panel.region, strict=True)))
    other = next(name for name, region in zip(panel.accounts, panel.region, strict=True) if region != panel.region[0])
    last = FIRST + timedelta(days=130)
    with transaction(workspace) as db:
        landed(db, rows_of(panel, 0, 100))
    advance(workspace, morning_after(FIRST + timedelta(days=99)), fresh=True)
    with transaction(workspace) as db:
        landed(db, [*rows_of(panel, 100, 131), *((name, "new", FIRST + timedelta(days=d), 7.0) for name in ids for d in range(100, 131))])
    advance(workspace, morning_after(last), fresh=True)
    with transaction(workspace) as db:
        live = Live.restore(db, DEFAULT_BUDGET)
        assert live is not None
        series = [s for s in usage_pictures.drawn(db, ids[other], FIRST, 60) if s.metric == "new"]
        assert series[0].cell >= 0
        assert series[0].cell != series[0].regional > 0
        records = usage_pictures.records(db, series, crc32(other.encode()) % FOLDS, FIRST, last)
        factors = live.factors_of(db, np.array([series[0].series_no]), FIRST)
    weighty = ~records.shut.T & (factors > 0)
    np.testing.assert_array_equal(records.factor.T[weighty], factors[weighty])


def test_the_onset_and_the_day_it_was_told_are_marked_as_the_detector_said_them(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, _ = watched
    with transaction(workspace) as db:
        series = usage_catalogue.all_series(db)
        said = [alert_of(a) for a in usage_tracking.alerts(db)]
    assert len(said) >= 6
    assert any(a.recovered_on for a in said)
    for account_id in {series.account_id(a.series) for a in said}:
        found = figures_of(workspace, account_id)
        for alert in (a for a in said if series.account_id(a.series) == account_id):
            title = "Seats in use" if series.metric_name(alert.series) == "active_seats" else series.metric_name(alert.series).replace("_", " ").capitalize()
            mark = {
                "began": alert.onset.isoformat(),
                "told": alert.alerted_on.isoformat(),
                "over": alert.recovered_on.isoformat() if alert.recovered_on else None,
                "rise": alert.kind == "growth",
            }
            assert mark in found[title]["marks"]


def test_what_was_told_later_is_not_shown_on_an_earlier_day(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    told = min(t.told_on for m in drawn(workspace, ids[FALLEN]).drawn for t in m.told)
    before = told - timedelta(days=1)
    assert not any(m.told for m in drawn(workspace, ids[FALLEN], before).drawn)
    assert not any(f["marks"] for f in figures_of(workspace, ids[FALLEN], before).values())


def test_the_sentence_is_the_one_that_is_said_of_the_whole_workspace(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    with transaction(workspace) as db:
        stored, series = usage.panel(db, TODAY), usage_catalogue.all_series(db)
        said = [alert_of(a) for a in usage_tracking.alerts(db, [ids[FALLEN]])]
    assert stored is not None
    panel = Panel(stored.account_names, stored.metrics, stored.regions, stored.first_day, stored.values.astype(np.float32))
    row = {(a, m): n for n, (a, m) in enumerate(zip(stored.account_ids, stored.metrics, strict=True))}
    alert = next(a for a in said if series.metric_name(a.series) == "active_seats")
    whole = Teller(panel, {FALLEN: "Acme"})
    placed = [replace(a, series=row[ids[FALLEN], series.metric_name(a.series)]) for a in said]
    expected = whole.tell(placed[said.index(alert)], placed, TODAY)
    shown = metric(drawn(workspace, ids[FALLEN]), "Seats in use").told
    assert expected.sentence in [t.sentence for t in shown]
    assert re.search(r"from about \d+ a day to about \d+ since .*; the other 7 accounts in the region", expected.sentence)
    assert any(re.match(r"Began between .* before, .* since then, each with 90% certainty", line) for t in shown for line in t.details)


def test_one_fall_has_one_figure_on_the_page_and_what_was_told_before_is_dated(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    with transaction(workspace) as db:
        series = usage_catalogue.all_series(db)
        alert = next(a for a in map(alert_of, usage_tracking.alerts(db, [ids[FALLEN]])) if series.metric_name(a.series) == "active_seats")
        numbers = {"metric": "active_seats", "before": 40.4, "after": 7.6, "onset": (alert.onset - timedelta(days=9)).isoformat(), "shape": "fade"}
        drop = builders.signal(ids[FALLEN], kind="usage_drop", detected_at=alert.alerted_on, numbers=numbers)
        found = pictures.read(db, ids[FALLEN], "Acme", TODAY, [drop])
    told = next(t for t in metric(found, "Seats in use").told if t.told_on == alert.alerted_on)
    line = describe(drop, TODAY).removeprefix("Seats in use ")
    assert told.sentence.startswith(f"Seats in use at Acme {line}; the other 7 accounts in the region")
    assert "taken out" not in told.sentence
    assert told.details[0].startswith("As it stood when it was told: began between ")
    assert all(t.details[0].startswith("Began ") for m in found.drawn for t in m.told if t is not told)


def test_the_peers_line_is_the_old_level_times_how_the_day_went_for_them(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    figure = figures_of(workspace, ids[FALLEN])["Seats in use"]
    with transaction(workspace) as db:
        alert = usage_tracking.alerts(db, [ids[FALLEN]])[0]
    peers, used = at(figure, "mean", "peers"), at(figure, "mean", "used")
    assert peers[alert.onset - timedelta(days=70)] is None
    since = [day for day in peers if alert.onset + timedelta(days=10) <= day < alert.onset + timedelta(days=40) and peers[day] and used[day]]
    assert np.mean([peers[day] for day in since]) == pytest.approx(alert.before, rel=0.3)
    assert np.mean([used[day] for day in since]) < 0.8 * np.mean([peers[day] for day in since])


def test_a_stopped_feed_says_so(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    assert {m.trouble for m in drawn(workspace, ids["account 29"]).drawn} == {"the feed has stopped: nothing can be said of the last days"}
    assert {m.trouble for m in drawn(workspace, ids["account 20"]).drawn} == {""}


def test_of_many_metrics_a_dozen_are_drawn_and_the_others_named_or_counted(workspace: UUID) -> None:
    ids = known(workspace, {"A": ""})
    with transaction(workspace) as db:
        landed(db, [("A", f"m{n:02}", TODAY - timedelta(days=1), 1.0) for n in range(70)] + [("A", "logins", TODAY - timedelta(days=1), 1.0)])
    found = drawn(workspace, ids["A"])
    assert [m.title for m in found.drawn][:2] == ["Logins", "M00"]
    assert (len(found.drawn), found.open, len(found.more), found.beyond) == (12, 2, 48, 11)


# the list


def test_a_list_has_four_lines_an_account_the_main_ones_first_and_says_how_many_more(workspace: UUID) -> None:
    ids = known(workspace, {"A": "", "B": "", "C": ""})
    with transaction(workspace) as db:
        days = [TODAY - timedelta(days=n) for n in range(14, 0, -1)]
        landed(db, [("A", name, day, float(n)) for name in ("a", "b", "c", "d", "e", "seats") for n, day in enumerate(days)])
        landed(db, [("B", "zebras", days[-1], 2.0), ("B", "long ago", TODAY - timedelta(days=400), 2.0), ("C", "seats", TODAY, 1.0)])
        lines = usage_pictures.lines(db, TODAY, list(ids.values()), 4)
        assert usage_pictures.lines(db, TODAY, [], 4) == {}
        assert usage_pictures.lines(db, TODAY, [ids["B"]], 4) == {ids["B"]: lines[ids["B"]]}
    assert set(lines) == {ids["A"], ids["B"]}
    assert [line.metric for line in lines[ids["A"]].shown] == ["seats", "a", "b", "c"]
    assert lines[ids["A"]].more == 2
    assert lines[ids["A"]].shown[0].weeks == [None] * 50 + [3.0, 10.0]
    assert [(line.metric, line.weeks) for line in lines[ids["B"]].shown] == [("zebras", [None] * 51 + [2.0])]


def test_in_a_list_what_fell_comes_first_and_is_marked_until_it_is_back(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    with transaction(workspace) as db:
        series = usage_catalogue.all_series(db)
        alerts = usage_tracking.alerts(db)
        lines = usage_pictures.lines(db, TODAY, list(ids.values()), 4)
    fallen = {(series.account_id(a.series_no), series.metric_name(a.series_no)) for a in alerts if a.recovered_on is None and a.kind != "growth"}
    marked = {(account_id, line.metric) for account_id, found in lines.items() for line in found.shown if line.fallen}
    assert marked == fallen
    assert all(flags == sorted(flags, reverse=True) for found in lines.values() if (flags := [line.fallen for line in found.shown]))


# the pages


@pytest.fixture
def browser(app: Any) -> TestClient:
    return TestClient(app, base_url="http://testserver", raise_server_exceptions=False, follow_redirects=False)


def signed_in(browser: TestClient, workspace: UUID) -> TestClient:
    key = keys.create(workspace, "test", ["read"], real_time(), None)
    token = re.search(r'name="token" value="([^"]+)"', browser.get("/console/sign-in").text)
    assert token
    browser.post("/console/sign-in", data={"key": key, "token": token[1]}, headers={"Origin": "http://testserver"})
    assert browser.cookies[COOKIE]
    return browser


def test_the_list_page_shows_the_lines_and_how_many_more(browser: TestClient, workspace: UUID) -> None:
    ids = known(workspace, {"A": ""})
    yesterday = real_time().date() - timedelta(days=1)
    hostile = '"><img src=x onerror=alert(2)>'
    with transaction(workspace) as db:
        landed(db, [("A", name, yesterday, 3.0) for name in ("a", "b", "c", hostile, "seats", "users")])
    text = signed_in(browser, workspace).get("/console").text
    assert text.count("<svg") == overview.SPARKS
    assert re.search(rf'href="/console/accounts/{ids["A"]}#usage"[^>]*>\+2<', text)
    assert "<img" not in text
    page = browser.get(f"/console/accounts/{ids['A']}").text
    assert "<img" not in page
    assert page.count('class="chart usage"') == 6


def test_the_page_tells_each_alert_in_a_sentence_with_its_intervals(watched: tuple[UUID, dict[str, UUID]]) -> None:
    workspace, ids = watched
    with transaction(workspace) as db:
        found = story.read(db, ids[FALLEN], morning_after(TODAY - timedelta(days=1)))
    assert found is not None
    assert [t.sentence for m in found.usage.drawn for t in m.told]
    assert figures_of(workspace, ids[FALLEN])["Seats in use"]["marks"]


# In a real browser


@pytest.fixture
def tab(servers: str) -> Iterator[Any]:
    with serving() as address, chromium() as opened:
        yield opened.new_page(viewport={"width": 1280, "height": 900}, base_url=address)


@pytest.mark.browser
def test_a_browser_draws_band_line_and_marks_and_changes_to_days_without_an_error(tab: Any, workspace: UUID) -> None:
    today = real_time().date()
    panel = thinned(steady(accounts=12, days=240), 3, 200, 0.4)
    ids = known(workspace, dict.fromkeys(panel.accounts, ""))
    with transaction(workspace) as db:
        values = np.argwhere(np.isfinite(panel.values)).tolist()
        landed(db, [(panel.accounts[i], panel.metrics[i], today - timedelta(days=240 - d), float(panel.values[i, d])) for i, d in values])
    advance(workspace, morning_after(today - timedelta(days=1)), fresh=True)
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(f"/console/accounts/{ids['a3']}")
    tab.fill("#key", keys.create(workspace, "test", ["read"], real_time(), None))
    tab.press("#key", "Enter")
    tab.wait_for_selector("#usage .main-svg")
    labels = tab.eval_on_selector_all("#usage .annotation-text", "all => all.map(a => a.textContent)")
    assert [label.split()[0] for label in labels] == ["began", "told"]
    assert tab.eval_on_selector_all("#usage path.js-fill", "all => all.filter(p => p.getAttribute('d')).length") == 1
    before = tab.eval_on_selector("#usage path.js-line", "p => p.getAttribute('d')")
    tab.click("[data-view=each]")
    tab.wait_for_function("before => document.querySelector('#usage path.js-line').getAttribute('d') !== before", arg=before)
    assert said == []
