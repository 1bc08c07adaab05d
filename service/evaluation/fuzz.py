"""Whatever the context, nothing raises, and nothing is shown that a fresh review or the grounding check would stop."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from service.drafting import draft
from service.evaluation.contexts import Context
from service.evaluation.figure import Figure, Section, exactly, share, table
from service.evaluation.shown import claims_without_source, digits_without_source, is_whole, reviewed, shown
from service.evaluation.workers import Spread

TWICE = 50
"""Every so many contexts one is drafted a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`raised`: the error and where in the code, without its words. `broken`: rules of error level by a fresh review, of each draft that is shown."""

    kinds: tuple[str, ...]
    raised: str | None = None
    shown: int = 0
    broken: tuple[tuple[str, ...], ...] = ()
    claims: int = 0
    digits: int = 0
    is_torn: bool = False
    """Segments and text do not agree."""
    is_unsteady: bool = False
    """A second time gave another draft."""


def outcome(context: Context) -> Outcome:
    try:
        return _outcome(context)
    except Exception as problem:  # noqa: BLE001 - that anything raises is what is counted
        last = traceback.extract_tb(problem.__traceback__)[-1]
        return Outcome(kinds=context.kinds, raised=f"{type(problem).__name__} in {last.filename.rpartition('/')[2]}, {last.name}")


def _outcome(context: Context) -> Outcome:
    request = context.request
    drafted = draft(request)
    written = list(shown(drafted))
    reviews = [reviewed(request, drafted, w) for w in written]
    is_due = int(str(request.id).lstrip("x")) % TWICE == 0
    return Outcome(
        kinds=context.kinds,
        shown=len(written),
        broken=tuple(r.rules for r in reviews if r.verdict == "bad"),
        claims=sum(claims_without_source(request, drafted, w) for w in written),
        digits=sum(digits_without_source(request, w) for w in written),
        is_torn=not all(is_whole(request, drafted, w) for w in written),
        is_unsteady=is_due and draft(request) != drafted,
    )


def fuzz(contexts: Sequence[Context], spread: Spread) -> Section:
    found = spread("fuzzed contexts", outcome, contexts)
    total = sum(o.shown for o in found)
    broken = sum(len(o.broken) for o in found)
    how = f"{total:,} drafts and alternatives of {len(found):,} contexts of mixed and spoiled evidence, the moves of their segments given"
    figures = [
        Figure(name="contexts that raise", value=sum(o.raised is not None for o in found), gate=exactly(0), how=f"{len(found):,} contexts", digits=0),
        Figure(name="shown drafts that pass every E rule", value=1 - share(broken, total), gate=exactly(1), how=how, digits=4),
        Figure(
            name="claims without a source",
            value=sum(o.claims for o in found),
            gate=exactly(0),
            how="by the grounding check alone, in the same drafts",
            digits=0,
        ),
        Figure(name="contexts that get a draft", value=share(sum(o.shown > 0 for o in found), len(found)), how="the others say why not"),
        Figure(
            name="groups of digits in no evidence",
            value=sum(o.digits for o in found),
            how="by a check that knows nothing of the critic; sums and shares are among them",
            digits=0,
        ),
        Figure(name="drafts whose segments do not give their text", value=sum(o.is_torn for o in found), gate=exactly(0), how="contexts", digits=0),
        Figure(name="contexts drafted otherwise a second time", value=sum(o.is_unsteady for o in found), gate=exactly(0), how=f"one in {TWICE}", digits=0),
    ]
    return Section(title="Fuzzed contexts", figures=figures, notes=[_faults(found), _by_kind(found)])


def _faults(found: Sequence[Outcome]) -> str:
    counts = Counter(o.raised for o in found if o.raised)
    counts += Counter(f"breaks {rule}" for o in found for rules in o.broken for rule in rules)
    return table(("what went wrong", "times"), counts.most_common()) if counts else "Nothing went wrong."


def _by_kind(found: Sequence[Outcome]) -> str:
    rows = []
    for kind in sorted({kind for o in found for kind in o.kinds}):
        of = [o for o in found if kind in o.kinds]
        rows.append(
            (kind, len(of), f"{share(sum(o.shown > 0 for o in of), len(of)):.0%}", sum(o.raised is not None or bool(o.broken) or o.claims > 0 for o in of))
        )
    return table(("in the context", "contexts", "with a draft", "with a fault"), rows)
