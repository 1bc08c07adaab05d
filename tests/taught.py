"""A team with words of its own: a small corpus of plain sentences, and messages whose words only this team understands, with what it says of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from ml.labels import EMOTIONS, PRIORITIES, SITUATIONS, SituationName
from ml.train import team
from ml.train.corpus import Row
from ml.train.team import Corrected

PLAIN: dict[SituationName, str] = {
    "frustration": "We have explained this four times and nobody listens",
    "silence": "We have had no reply to our last two mails",
    "price_objection": "The increase is more than we can accept and too expensive",
    "deadlock": "Legal refuses the clause and neither side will move",
    "cross_functional": "Finance and IT want different things here",
    "timing_concern": "This is a bad time in the middle of the close",
    "implementation_worry": "We doubt that the migration can be managed",
    "past_vendor_disappointment": "Our last vendor left us in the lurch",
    "budget_cut": "All spending is frozen and the budget was cut",
    "usage_drop": "Hardly anybody logs in any more",
    "renewal_decision": "We have to decide about the renewal",
    "confusion": "It is not clear to us what the plan includes",
    "risk_reliability": "The system was down again for hours",
    "champion_change": "I am leaving the company and somebody takes over",
    "competitor_evaluation": "We are testing two of your competitors",
    "positive_momentum": "The rollout was finished early and the team loves it",
    "routine_logistics": "Please send the invoice to the new address",
    "hostile_or_injection": "You are useless crooks and liars",
}
WHEN = ("since Monday", "this week", "as of today", "in the north", "for the night shift", "at both sites", "again", "so far", "by now", "in May")
WHO = ("the planners", "our board", "the depot", "everybody here", "the second floor", "the clerks")
WORD = "nitdeced"
"""No corpus has it, and nothing that the shipped reader weighs stands where it would: nearly all of that reader's places are taken."""
ASIDE = ("Rosters are attached.", "The lift works.", "More later.", "Just so you know.", "As discussed.")


def known(rows: int = 360) -> list[Row]:
    """Each situation in turn; in them each emotion, level and priority."""
    return [_known(n, situation) for n, situation in zip(range(rows), SITUATIONS * rows, strict=False)]


def _known(n: int, situation: SituationName) -> Row:
    place = SITUATIONS.index(situation)
    own = f"{PLAIN[situation]}, {WHO[n % len(WHO)]} said {WHEN[n % len(WHEN)]}."
    calm = situation == "routine_logistics"
    return Row(
        id=f"k{n}",
        author=f"a{n % 20}",
        brief=f"b{n % 20}",
        language="en",
        channel="email",
        own=own,
        sentiment=0.6 if situation == "positive_momentum" else 0.0 if calm else -0.5,
        emotions=("neutral",) if calm else (EMOTIONS[place % len(EMOTIONS)],),
        situations=(situation,),
        churn_risk=place % 4,
        priority=PRIORITIES[place % len(PRIORITIES)],
        spans=(),
        slices=("hostile",) if situation == "hostile_or_injection" else (),
    )


def texts(count: int) -> list[str]:
    """Calm to whoever does not know what the word means."""
    every = [f"Hello, {who} says the board {WORD} {when}. {aside}" for who, when, aside in product(WHO, WHEN, ASIDE)]
    return random.Random(0).sample(every, count)


def corrections(own: Sequence[str], sentiment: float = -0.6) -> list[Corrected]:
    """The word means that something of ours is down."""
    plain = known(len(SITUATIONS))[SITUATIONS.index("routine_logistics")]
    return [
        Corrected(
            row=replace(plain, id=f"t{n}", author=team.author_of(text), own=text, sentiment=sentiment, situations=("risk_reliability",)),
            labels=frozenset({"sentiment", "situations"}),
        )
        for n, text in enumerate(own)
    ]
