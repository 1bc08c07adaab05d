"""A few accounts, people and mails, ready to land. Each builder fills in what a test does not care about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID, uuid4

from connectors.records import Account, Contact, Interaction, Opportunity, User
from service.signals import Evidence, Signal
from service.store import accounts, connections, landing, linking, suggestions, workspaces
from service.store.pool import Db, transaction
from service.store.readings import Emotion, Situation, StoredReading
from service.suggest import PLAYBOOK

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_number = count(1)


def workspace() -> UUID:
    workspace_id = uuid4()
    with transaction(workspace_id) as db:
        workspaces.create(db, workspace_id, f"test {workspace_id}")
    return workspace_id


def connection(db: Db, connector: str = "salesforce", name: str = "crm") -> UUID:
    return connections.create(db, connector, name, {})


def email(key: str | None = None, **fields: object) -> Interaction:
    n = next(_number)
    defaults: dict[str, object] = {
        "kind": "email",
        "direction": "in",
        "occurred_at": NOW,
        "account_key": "A1",
        "from_email": "bo@acme.example",
        "to_emails": ("ann@vendor.example",),
        "subject": "Rosters",
        "body": "The rosters look fine to me.",
        "message_id": f"<{n}@acme.example>",
    }
    return Interaction(key=key or f"M{n}", **{**defaults, **fields})  # type: ignore[arg-type]


def account(db: Db, connection_id: UUID, *, key: str = "A1", name: str = "Acme", renewal: date | None = date(2026, 5, 1)) -> UUID:
    """An account with an owner, one contact (C1, Bo Lind) and, if wanted, an open renewal."""
    landing.land(db, connection_id, User, [User(key="U1", name="Ann Berg", email="ann@vendor.example")])
    landing.land(db, connection_id, Account, [Account(key=key, name=name, owner_key="U1", website="acme.example", arr=12000.0, currency="EUR")])
    landing.land(db, connection_id, Contact, [Contact(key=f"C-{key}", account_key=key, name="Bo Lind", email=f"bo@{name.lower()}.example")])
    if renewal:
        landing.land(
            db,
            connection_id,
            Opportunity,
            [
                Opportunity(
                    key=f"O-{key}",
                    account_key=key,
                    name=f"{name} renewal",
                    type="Renewal",
                    stage="Open",
                    amount=12000.0,
                    close_date=renewal,
                    is_closed=False,
                    is_won=False,
                    primary_contact_key=f"C-{key}",
                )
            ],
        )
    linking.link_late_keys(db, connection_id)
    return next(p.account_id for p in accounts.profiles(db) if p.key == key)


def land_emails(db: Db, connection_id: UUID, emails: list[Interaction]) -> None:
    landing.land(db, connection_id, Interaction, emails)
    linking.link_by_address(db)


def reading(**fields: object) -> StoredReading:
    """Negative and quite sure, frustrated about a price, close to leaving."""
    defaults: dict[str, object] = {
        "language": "en",
        "sentiment": -0.6,
        "confidence": 0.9,
        "abstained": False,
        "emotions": (Emotion(name="frustration", confidence=0.6, alternative="reported_not_felt"),),
        "situations": (Situation(name="price_objection", confidence=0.8),),
        "churn_risk": 2,
        "priority": "recognition",
        "quotes": (),
    }
    return StoredReading(**{**defaults, **fields})  # type: ignore[arg-type]


def signal(account_id: UUID, **fields: object) -> Signal:
    defaults: dict[str, object] = {
        "id": uuid4(),
        "contact_id": None,
        "kind": "price_objection",
        "key": f"price_objection:{next(_number)}",
        "state": "open",
        "detected_at": NOW.date(),
        "ended_at": None,
        "confidence": 0.8,
        "numbers": {},
        "alternatives": ("negotiation_habit",),
        "evidence": (),
    }
    return Signal(account_id=account_id, **{**defaults, **fields})  # type: ignore[arg-type]


def words(interaction_id: UUID, start: int, end: int, contact_id: UUID | None = None) -> Evidence:
    return Evidence(
        id=uuid4(),
        type="buyer_message",
        source="email",
        observed_at=NOW,
        contact_id=contact_id,
        interaction_id=interaction_id,
        start=start,
        end=end,
    )


def suggestion(suggestion_id: UUID, account_id: UUID, signal_id: UUID) -> suggestions.Suggestion:
    """A plan without a draft, resting on one signal."""
    return suggestions.Suggestion(
        suggestion_id=suggestion_id,
        version=1,
        account_id=account_id,
        contact_id=None,
        owner_key=None,
        lead_kind="price_objection",
        signal_ids=[signal_id],
        state="open",
        close_reason=None,
        handling="draft",
        why_now="A passage names the price as an obstacle.",
        plan=["Ask what lies behind it."],
        draft=None,
        no_draft_reason="nobody to write to",
        alternatives=[],
        due=NOW.date(),
        priority="normal",
        opened_at=NOW.date(),
        evidence_at=NOW.date(),
        playbook_version=PLAYBOOK,
    )
