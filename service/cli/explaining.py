"""explain: what the usage detector sees of one account, metric by metric, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console

from service import servers
from service.cli.workspace import Workspace, opened, printable
from service.config import now
from service.errors import NotFound
from service.playbook.wording import capitalised, day_month_year, listed
from service.store import accounts, usage
from service.store.accounts import Profile
from service.store.pool import Db, transaction
from service.store.usage import UsagePanel

if TYPE_CHECKING:
    from ml.usage import Alert, FeedState, Panel
    from ml.usage.levels import Interval
    from ml.usage.tell import Explanation, Teller

explain = typer.Typer(no_args_is_help=True, help="Show what a verdict rests on.")
BLOCKS = "▁▂▃▄▅▆▇█"
WEEKS = 52
_STATES: dict[FeedState, str] = {
    "ok": "the feed is up to date",
    "learning": "fewer than 56 days so far: too few to judge",
    "stale": "the feed has stopped, so nothing can be said of the last days",
    "no_data": "no figures at all",
}


def register(app: typer.Typer) -> None:
    app.add_typer(explain, name="explain")


@explain.callback()
def _verbs() -> None:
    """Keeps `usage` a verb of its own while it is the only one."""


@explain.command("usage")
def explain_usage(
    account: Annotated[str, typer.Argument(help="The account's name, its key in the CRM, or its id.")],
    workspace: Workspace = "default",
) -> None:
    """Show an account's usage week by week beside what was to be expected, and every alert with its numbers."""
    today = now().date()
    with servers.running(), transaction(opened(workspace)) as db:
        chosen = _account(db, account)
        shown = {p.account_id: p.name for p in accounts.profiles(db)}
        stored = usage.panel(db, today)
    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.print(printable(chosen.name) + (f", region {printable(chosen.region)}" if chosen.region else ""))
    if stored is None or chosen.account_id not in stored.account_ids:
        console.print("No usage has been stored for this account: unknown, not healthy.")
        return
    names = {name: shown[account_id] for name, account_id in zip(stored.account_names, stored.account_ids, strict=True) if account_id in shown}
    _show(console, stored, chosen.account_id, names, today)


def _account(db: Db, wanted: str) -> Profile:
    """By id, by key, else by name if only one account has it."""
    known = accounts.profiles(db)
    found = [p for p in known if wanted in (str(p.account_id), p.key)] or [p for p in known if p.name.casefold() == wanted.strip().casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        message = f"{len(found)} accounts are called {printable(wanted)}. Say which by its id: {', '.join(str(p.account_id) for p in found[:5])}."
        raise NotFound(message)
    message = f"There is no account {printable(wanted)} in this workspace. Give its name, its key in the CRM, or its id."
    raise NotFound(message)


@dataclass(frozen=True, slots=True)
class _Seen:
    panel: Panel
    teller: Teller
    alerts: Sequence[Alert]
    """Of this account."""
    today: date


def _show(console: Console, stored: UsagePanel, account_id: UUID, names: dict[str, str], today: date) -> None:
    from ml.usage import Panel, replay
    from ml.usage.clean import same_units
    from ml.usage.tell import Teller
    from ml.usage.words import metric_name, unit_sentence

    raw = Panel(
        accounts=stored.account_names,
        metrics=stored.metrics,
        region=stored.regions,
        first_day=stored.first_day,
        values=stored.values.astype(np.float32),
    )
    panel, units = same_units(raw)
    rows = [i for i, a in enumerate(stored.account_ids) if a == account_id]
    said = replay(panel)
    seen = _Seen(panel, Teller(panel, names), [a for a in said.alerts if a.series in rows], today)
    for row in rows:
        console.print(f"\n{metric_name(panel.metrics[row])} ({printable(panel.metrics[row])}): {_STATES[said.feeds[row]]}")
        _lines(console, seen, row)
        for unit in units:
            if unit.series == row:
                console.print(f"  note      {unit_sentence(panel.metrics[row], names[panel.accounts[row]], unit.factor, unit.since)}")
        for alert in seen.alerts:
            if alert.series == row:
                _alert(console, seen, alert)


def _lines(console: Console, seen: _Seen, row: int) -> None:
    """Use and expectation as weekly means on one scale, oldest first."""
    standing = next((a for a in reversed(seen.alerts) if a.series == row and a.recovered_on is None), None)
    days = min(WEEKS * 7, seen.panel.values.shape[1] // 7 * 7)
    if days == 0:
        console.print("  less than a week of days so far")
        return
    used = seen.panel.values[row, -days:].astype(np.float64)
    expected = seen.teller.expected(row, standing, days)
    weeks, usual = _weekly(used), _weekly(np.where(np.isfinite(used), expected, np.nan))
    top = max((v for v in [*weeks, *usual] if np.isfinite(v)), default=0.0)
    first = seen.panel.first_day + timedelta(seen.panel.values.shape[1] - days)
    console.print(f"  used      {sparkline(weeks, top)}  {_last(weeks)}")
    console.print(f"  expected  {sparkline(usual, top)}  {_last(usual)}")
    console.print(f"            each sign is a week, from {day_month_year(first)} on; the highest had about {_said(top)} a day")


def _weekly(values: npt.NDArray[np.float64]) -> list[float]:
    weeks = values.reshape(-1, 7)
    known = np.isfinite(weeks)
    means = np.where(known, weeks, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    weekly: list[float] = np.where(known.any(axis=1), means, np.nan).tolist()
    return weekly


def sparkline(values: Sequence[float], top: float) -> str:
    """One block per value from 0 to `top`; a space where there is none."""
    steps = len(BLOCKS) - 1
    return "".join(BLOCKS[min(round(value / top * steps), steps) if top > 0 else 0] if np.isfinite(value) else " " for value in values)


def _last(weeks: Sequence[float]) -> str:
    return f"about {_said(weeks[-1])} a day last week" if np.isfinite(weeks[-1]) else "no days last week"


def _said(value: float) -> str:
    from ml.usage.words import amount

    return amount(value)


def _alert(console: Console, seen: _Seen, alert: Alert) -> None:
    found = seen.teller.tell(alert, seen.alerts, seen.today)
    console.print(f"  {alert.alerted_on}  {printable(found.sentence)}")
    for line in _details(found, alert):
        console.print(f"              {printable(line)}")


def _details(found: Explanation, alert: Alert) -> list[str]:
    """Each a sentence that can be read aloud."""
    from ml.alternatives import SENTENCES

    lines = [
        f"It began {_span(*found.onset_between)}. A usual day had {_between(found.before)} before and {_between(found.after)} after "
        "(each range is right about nine times in ten).",
    ]
    if found.per_week:
        lines.append(f"From week to week a usual day {'gained' if found.per_week.value > 0 else 'lost'} {_between(_unsigned(found.per_week))}.")
    if found.people:
        lines.append(f"That is {found.people}.")
    lines += _others(found)
    where = " in the region" if found.peers_of_region else ""
    lines.append(f"It is held against the other {_counted(found.peer_accounts)}{where}: {_changed(found.peers)} in the same weeks.")
    lines += [f"It may be harmless. {SENTENCES[i.key]} {i.text}" for i in found.innocent]
    if alert.recovered_on:
        lines.append(f"Most of it has been back since {day_month_year(alert.recovered_on)}.")
    return lines


def _others(found: Explanation) -> list[str]:
    """What else the account uses, as one line."""
    from ml.usage.words import metric_name, percent

    said = [
        f"{capitalised(metric_name(o.metric))} {'rose' if o.change.value > 0 else 'fell'}{' too' if o.way == 'fell' else ''}, by {percent(o.change.value)}."
        for o in found.others
        if o.way in ("fell", "rose")
    ]
    for way, words in (("level", "stayed level"), ("unknown", "cannot be judged")):
        if some := [metric_name(o.metric) for o in found.others if o.way == way]:
            said.append(f"{capitalised(listed(some))} {words}.")
    return [f"Beside it: {' '.join(said)}"] if said else []


def _counted(accounts: int) -> str:
    return "account" if accounts == 1 else f"{accounts:,} accounts"


def _changed(share: float) -> str:
    from ml.usage.words import percent

    return "no change" if round(abs(share) * 100) == 0 else f"{percent(share)} {'more' if share > 0 else 'less'}"


def _span(first: date, last: date) -> str:
    return f"on {day_month_year(first)}" if first == last else f"between {day_month_year(first)} and {day_month_year(last)}"


def _unsigned(interval: Interval) -> Interval:
    low, high = sorted((abs(interval.low), abs(interval.high)))
    return replace(interval, low=low, high=high)


def _between(interval: Interval) -> str:
    low, high = _said(interval.low), _said(interval.high)
    return low if low == high else f"{low} to {high}"
