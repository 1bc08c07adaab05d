"""What lands in the CRM: a title without a word of the buyer, and a body that a busy person reads from the top."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from service.playbook import asked
from service.playbook.describe import MOMENT
from service.playbook.instructions import holds_instruction
from service.playbook.pause import CARD, LINE
from service.playbook.report import good_until, lines
from service.playbook.wording import day_month, folded, without_controls
from service.signals import Case, Composition, Evidence, Report, TaskText

MOST_TITLE = 120
MOST_QUOTE = 200
MOST_QUOTES = 3
RENEWAL_NEAR = timedelta(days=90)

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_CORRECT_US = (
    "If we read this wrong: set Undertone Feedback on this task (used, edited, not now, wrong reading), or close the task. "
    "Nothing is ever sent for you; change the draft as you like, or leave it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A draft as the task shows it."""

    text: str
    made_on: date
    report: Report | None
    """None for drafts of before it was kept."""


def task_text(case: Case, composition: Composition, *, quotes: bool, link: str, shown: Shown | None, answer: str) -> TaskText:
    """`quotes` False leaves the buyer's words to the link. `shown` None: there is no draft, or its words were erased. `answer`: the address where one says
    what came of it."""
    blocks = [
        ("BEFORE YOU ANSWER", [*(f"{n}. {step}" for n, step in enumerate(CARD, 1)), LINE] if composition.pause else []),
        ("WHY NOW", [composition.why_now]),
        ("WHAT THEY ASKED FOR", asked.lines(case.recipient.preference, case.today) if case.recipient else []),
        ("THEIR WORDS", list(_their_words(case)) if quotes else []),
        ("WHAT ELSE IT COULD MEAN", [f"- {line}" for line in composition.alternatives]),
        ("PLAN", [f"{n}. {step}" for n, step in enumerate(composition.plan, 1)]),
        ("DRAFT, YOURS TO CHANGE" if composition.draft else "NO DRAFT", _draft(case, composition, shown, quotes=quotes)),
        ("HOW IT WAS CHECKED", lines(shown.report) if shown and shown.report else []),
        ("EVIDENCE AND HISTORY", [link]),
        ("IS THIS RIGHT?", [_CORRECT_US, f"Tell us in one click: {answer}"]),
    ]
    told = [f"{title}\n" + "\n".join(said) for title, said in blocks if said]
    return TaskText(subject=title(case), description=without_controls("\n\n".join(told)))


def title(case: Case) -> str:
    """Account and kind of moment: "Acme: tone changed before renewal"."""
    near = case.renewal is not None and timedelta(0) <= case.renewal.close_date - case.today <= RENEWAL_NEAR
    moment = MOMENT[case.lead.kind] + (" before renewal" if near else "")
    name = folded(without_controls(case.account_name))
    return f"{name[: MOST_TITLE - len(moment) - 2]}: {moment}"


def _draft(case: Case, composition: Composition, shown: Shown | None, *, quotes: bool) -> list[str]:
    if composition.draft is None:
        return [f"No draft: {composition.no_draft_reason}."]
    if shown is None:
        return ["No draft: the words it rested on have been erased."]
    if not quotes:
        return ["The draft quotes their words; it stands behind the link below."]
    to = case.recipient.name if case.recipient and case.recipient.name else "their contact"
    until = day_month(good_until(shown.made_on), shown.made_on)
    return [f"To {to}. Good until {until} or until they write again; after that, look at the account anew.", "", shown.text]


def _their_words(case: Case) -> Iterator[str]:
    """The newest, in order of day; none that is a part of another one out of the same message."""
    spoken = {(e.interaction_id, e.text): e for s in case.signals for e in s.evidence if e.type == "buyer_message" and e.text}
    whole = [e for (message, text), e in spoken.items() if not any(m == message and t != text and text in (t or "") for m, t in spoken)]
    for evidence in sorted(whole, key=lambda e: e.observed_at)[-MOST_QUOTES:]:
        yield f"- {day_month(evidence.observed_at.date(), case.today)}: {_shown(evidence)}"


def _shown(evidence: Evidence) -> str:
    text = folded(without_controls(evidence.text or ""))
    if holds_instruction(text):
        return "(text addressed to software; read the original with care)"
    text = _LINK.sub("(link)", text)
    return f'"{text}"' if len(text) <= MOST_QUOTE else f'"{text[:MOST_QUOTE].rsplit(" ", 1)[0]} ..."'
