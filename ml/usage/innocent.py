"""Innocent explanations of a change of usage that the data support, each with the number that supports it. Listed, never asserted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ml.usage.levels import LATELY, SETTLING, SMALL, WEEK, Bools, Daily, Floats, change, noise, stretch, week_of
from ml.usage.words import GONE, amount, capitalised, counted_days, metric_name, percent

Finding = Literal["many_at_zero", "same_weeks_last_year", "peers_too", "another_metric", "another_account", "constant", "small_team_away"]
YEAR = 364
"""Days back to the same weekday of the same week a year before."""
PEERS_MOVED = 0.08
LIKE_NOW = 0.5
"""A change of last year counts when it was at least this share of the present one."""
LEAST = 0.15
OPPOSITE = 0.25
"""Relative change in the other direction that makes another metric worth naming."""
LEAST_TEAM, SMALL_TEAM, LONGEST_HOLIDAY = 0.5, 6.0, 16
AT_ZERO, AT_LEAST = 0.3, 3
"""Share and number of the other accounts that must stand at zero on one day to suspect an outage."""
USED = 2.0
"""Counts usual on such a day, from which a zero says something."""
CONSTANT_DAYS = 5
SURE = 5.0
MOST_OF_IT = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Innocent:
    """`key` is one of ml.alternatives; `number` is what supports it: a relative change, a share, or a count of days, as `text` says."""

    key: str
    finding: Finding
    number: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One change of one series: what it is held against. Row 0 of `found` is the series, the others are the account's other metrics.

    `onset` indexes the days of `found`; `past` are the series' own values of the same days a year before and of all days between,
    up to the end, None without a year of data; `others` are the same metric of other accounts, on the days of `found`.
    """

    metrics: tuple[str, ...]
    found: Daily
    spread: Floats
    values: Floats
    onset: int
    size: float
    rising: bool
    stopped: bool
    peers: float
    people: bool
    past: Floats | None
    others: Floats
    name_of_other: Callable[[int], str]

    @property
    def since(self) -> Bools:
        result: Bools = np.arange(self.values.shape[1]) >= self.onset
        return result

    @property
    def way(self) -> int:
        return 1 if self.rising else -1


def innocent(case: Case) -> tuple[Innocent, ...]:
    """The best supported kind first; at most one of each finding."""
    return tuple(found for look in _LOOKS if (found := look(case)) is not None)


def _many_at_zero(case: Case) -> Innocent | None:
    """On the days that make the fall, many other accounts that are never at zero on such a day stood at zero as well."""
    if case.rising or len(case.others) < AT_LEAST:
        return None
    asked = np.isfinite(case.others) & _never_at_zero(case.others, case.onset)
    zero = asked & (case.others == 0)
    many = (zero.sum(axis=0) >= np.maximum(AT_ZERO * asked.sum(axis=0), AT_LEAST)) & case.since
    low = case.since & (case.values[0] == 0)
    both = many & low
    if not both.any() or 2 * both.sum() < low.sum():
        return None
    most = int(zero[:, both].sum(axis=0).max())
    days = int(both.sum())
    return Innocent(
        key="outage_on_our_side",
        finding="many_at_zero",
        number=days,
        text=f"On {counted_days(days)} since then up to {most:,} other accounts stood at zero as well.",
    )


def _never_at_zero(values: Floats, until: int) -> Bools:
    """(series, days): whether the series, on this weekday before `until`, had some USED counts on average and hardly ever none."""
    weekdays = [values[:, d:until:WEEK] for d in range(WEEK)]
    known = np.stack([np.isfinite(v).sum(axis=1) for v in weekdays], axis=1)
    zeros = np.stack([(v == 0).sum(axis=1) for v in weekdays], axis=1)
    counted = np.stack([np.where(np.isfinite(v), v, 0.0).sum(axis=1) for v in weekdays], axis=1)
    result: Bools = ((known >= 4) & (zeros <= 0.1 * known) & (counted >= USED * known))[:, np.arange(values.shape[1]) % WEEK]
    return result


def _same_weeks_last_year(case: Case) -> Innocent | None:
    if case.past is None:
        return None
    days = case.values.shape[1]
    last = case.past[None, :days]
    shape = week_of(last, case.onset)[:, np.arange(days) % WEEK]
    then = Daily(counts=last, shape=shape)
    old = (np.arange(days) < case.onset) & (np.arange(days) >= case.onset - 8 * WEEK)
    before, after = stretch(then, old), stretch(then, case.since)
    if before.days[0] < 4 * WEEK or after.days[0] < 5 or before.level[0] < SMALL:
        return None
    dispersion, lasting = noise(then, [old, case.since])
    value, low, high = (float(x[0]) for x in change(before, after, dispersion * lasting))
    too = value * case.way >= max(LIKE_NOW * case.size, LEAST) and (low > 0 if case.rising else high < 0)
    if not too or not _came_back(case, float(before.level[0]), float(after.level[0])):
        return None
    verb = "rose" if case.rising else "fell"
    text = f"In the same weeks a year before, {metric_name(case.metrics[0])} {verb} by about {percent(value)} too, and came back."
    return Innocent(key="seasonal_work", finding="same_weeks_last_year", number=value, text=text)


def _came_back(case: Case, before: float, after: float) -> bool:
    """Half of last year's change was gone before this one began: else it was no season."""
    old = case.values[0, max(0, case.onset - 8 * WEEK) : case.onset]
    now = float(np.nanmean(old)) if np.isfinite(old).any() else after
    return (now - after) / (before - after) >= 0.5 if before != after else False


def _peers_too(case: Case) -> Innocent | None:
    if case.peers * case.way < PEERS_MOVED:
        return None
    verb = "rose" if case.rising else "fell"
    text = f"The other accounts {verb} by about {percent(case.peers)} in the same weeks."
    return Innocent(key="seasonal_work", finding="peers_too", number=case.peers, text=text)


def _another_metric(case: Case) -> Innocent | None:
    """Another metric of the account went the other way."""
    before, after = stretch(case.found, ~case.since), stretch(case.found, case.since)
    value, low, high = change(before, after, case.spread)
    sure = (high < 0) if case.rising else (low > 0)
    enough = (before.days >= 2 * WEEK) & (after.days >= SETTLING) & (np.maximum(before.level, after.level) >= SMALL)
    opposite = np.where(sure & enough, -case.way * value, 0.0)
    opposite[0] = 0.0
    best = int(np.argmax(opposite))
    if opposite[best] < OPPOSITE:
        return None
    verb = "fell" if case.rising else "rose"
    text = f"{capitalised(metric_name(case.metrics[best]))} of the same account {verb} by about {percent(float(value[best]))} in the same weeks."
    return Innocent(key="migration", finding="another_metric", number=float(value[best]), text=text)


def _another_account(case: Case) -> Innocent | None:
    """As much as one account lost another gained in the same weeks, as when two are merged."""
    if not (case.stopped or case.rising) or not len(case.others):
        return None
    shape = np.tile(case.found.shape[0], (len(case.others), 1))
    found = Daily(counts=case.others, shape=shape)
    settled = np.arange(shape.shape[1]) >= case.onset + SETTLING
    old = (np.arange(shape.shape[1]) < case.onset) & (np.arange(shape.shape[1]) >= case.onset - 4 * WEEK)
    before, after = stretch(found, old), stretch(found, settled)
    own = float(stretch(case.found, settled).level[0] - stretch(case.found, old).level[0])
    gain = after.level - before.level
    stands = after.level <= GONE * before.level if case.rising else gain >= LIKE_NOW * before.level
    alike = (gain * own < 0) & (np.abs(gain + own) <= OPPOSITE * abs(own)) & _at_once(found, case.onset, gain)
    chosen = np.flatnonzero(stands & alike & (before.days >= LATELY) & (after.days >= SETTLING))
    if not len(chosen):
        return None
    dispersion, lasting = noise(Daily(counts=case.others[chosen], shape=shape[chosen]), [old, settled])
    spread = dispersion * lasting * (before.level / np.maximum(before.shape, 1e-9) + after.level / np.maximum(after.shape, 1e-9))[chosen]
    chosen = chosen[np.abs(gain[chosen]) > SURE * np.sqrt(spread)]
    if not len(chosen):
        return None
    best = int(chosen[np.argmin(np.abs(gain[chosen] + own))])
    verb = "lost" if case.rising else "gained"
    text = f"Another account, {case.name_of_other(best)}, {verb} about {amount(abs(float(gain[best])))} a day in the same weeks."
    return Innocent(key="migration", finding="another_account", number=float(gain[best]), text=text)


def _at_once(found: Daily, onset: int, gain: Floats) -> Bools:
    """Whether most of the change lies between the week before the onset and the week after it."""
    days = np.arange(found.counts.shape[1])
    before = stretch(found, (days >= onset - WEEK - SETTLING) & (days < onset - 1))
    after = stretch(found, (days >= onset + SETTLING) & (days < onset + SETTLING + WEEK))
    result: Bools = (after.level - before.level) * np.sign(gain) >= MOST_OF_IT * np.abs(gain)
    return result


def _constant(case: Case) -> Innocent | None:
    """From one day to the next the same number every day, which people's work seldom gives."""
    counts = case.values[0, case.onset :]
    counts = counts[np.isfinite(counts)][1:]
    before = case.values[0, : case.onset]
    before = before[np.isfinite(before)]
    if len(counts) < 2 or len(before) < 2 * WEEK or np.any(counts != counts[-1]):
        return None
    days = len(counts)
    if days < (SETTLING if counts[-1] == 0 else CONSTANT_DAYS) or days <= _longest_run(before):
        return None
    text = f"Exactly {amount(float(counts[-1]))} on each of the last {days} reported days, from one day to the next."
    return Innocent(key="tracking_changed", finding="constant", number=days, text=text)


def _longest_run(values: Floats) -> int:
    changes = np.flatnonzero(np.diff(values) != 0)
    return int(np.diff(np.concatenate([[-1], changes, [len(values) - 1]])).max())


def _small_team_away(case: Case) -> Innocent | None:
    days = case.values.shape[1] - case.onset
    before, after = (float(stretch(case.found, part).level[0]) for part in (~case.since, case.since))
    if case.rising or not case.people or not LEAST_TEAM <= before <= SMALL_TEAM or days > LONGEST_HOLIDAY or after > LEAST * before:
        return None
    text = f"A team of about {amount(before)} a day, away for {counted_days(days)} so far."
    return Innocent(key="holiday", finding="small_team_away", number=days, text=text)


_LOOKS: tuple[Callable[[Case], Innocent | None], ...] = (
    _many_at_zero,
    _same_weeks_last_year,
    _peers_too,
    _another_metric,
    _another_account,
    _constant,
    _small_team_away,
)
