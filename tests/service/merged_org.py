"""A CRM whose accounts and contacts are merged, deleted and come back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from connectors.addresses import SHARED_DOMAINS
from connectors.records import Account, Contact
from service.signals import Signal
from service.store import landing, linking, signals, suggestions, usage_merges, workspaces
from service.store.pool import transaction
from service.store.suggestions import SuggestionRow
from service.suggest import suggest
from tests import builders
from tests.builders import NOW


class Org:
    """A CRM whose rows arrive version by version, each later than the one before."""

    def __init__(self, workspace_id: UUID) -> None:
        self.workspace_id = workspace_id
        self.at = NOW - timedelta(days=2)
        with transaction(workspace_id) as db:
            self.crm = builders.connection(db)

    def land(self, *records: Any) -> None:
        self.at += timedelta(minutes=1)
        with transaction(self.workspace_id) as db:
            for record in records:
                landing.land(db, self.crm, type(record), [replace(record, modified_at=self.at)])
            if any(isinstance(r, Account) for r in records):
                usage_merges.follow_merges(db)
            linking.link(db, self.crm, SHARED_DOMAINS)

    def account(self, key: str, *, into: str | None = None, deleted: bool = False) -> None:
        self.land(Account(key=key, name=f"Name of {key}", owner_key="U1", merged_into_key=into, deleted=deleted or into is not None))

    def contact(self, key: str, account: str | None, *, into: str | None = None) -> None:
        self.land(Contact(key=key, account_key=account, name=key, email=f"{key.lower()}@far.example", merged_into_key=into, deleted=into is not None))

    def mail(self, key: str, account: str | None, **fields: object) -> None:
        self.land(builders.email(key, account_key=account, **{"from_email": "who@nowhere.example", **fields}))

    def home(self, table: str = "interaction") -> dict[str, str | None]:
        """Of each row, by its key, the key of the account it belongs to."""
        with transaction(self.workspace_id) as db:
            return dict(db.execute(f"SELECT t.key, a.key FROM {table} t LEFT JOIN account a USING (workspace_id, account_id) ORDER BY 1").fetchall())

    def id_of(self, key: str, table: str = "account") -> UUID:
        with transaction(self.workspace_id) as db:
            row = db.execute(f"SELECT {table}_id FROM {table} WHERE key = %s", [key]).fetchone()
        assert row is not None
        found: UUID = row[0]
        return found

    def raise_signal(self, account: str, mail: str, **fields: object) -> UUID:
        """Open, resting on that mail, as a run of the score step would have found it."""
        with transaction(self.workspace_id) as db:
            found = builders.signal(self.id_of(account), evidence=(builders.words(self.id_of(mail, "interaction"), 0, 5),), **fields)
            (signal_id,) = signals.append(db, [found], "m", workspaces.next_change(db))
        return signal_id

    def suggest(self) -> list[SuggestionRow]:
        """What is open afterwards."""
        suggest(self.workspace_id, NOW)
        with transaction(self.workspace_id) as db:
            return suggestions.open_suggestions(db)

    def end_signals(self, account: str) -> None:
        """As the score step does for an account that is gone."""
        with transaction(self.workspace_id) as db:
            current = signals.current(db, [self.id_of(account)], states=("open",))
            signals.append(db, [signals.ended(r.signal, NOW.date()) for r in current], "m", workspaces.next_change(db))

    def push(self, suggestion_id: UUID) -> None:
        """As if it stood in the CRM."""
        with transaction(self.workspace_id) as db:
            db.execute(
                "INSERT INTO push_ledger (workspace_id, suggestion_id, connection_id, key, status, version, remote_id, sent_at)"
                " SELECT workspace_id, suggestion_id, connection_id, left('ut-' || suggestion_id, 40), 'sent', 1, '00T1', now() FROM outbox"
                " WHERE suggestion_id = %s",
                [suggestion_id],
            )
            db.execute("UPDATE outbox SET state = 'done'")

    def signals(self) -> dict[UUID, tuple[Signal, int]]:
        with transaction(self.workspace_id) as db:
            return {r.signal.id: (r.signal, r.version) for r in signals.current(db)}

    def due(self) -> set[str]:
        with transaction(self.workspace_id) as db:
            found = {key for (key,) in db.execute("SELECT a.key FROM score_due d JOIN account a USING (workspace_id, account_id)")}
            db.execute("DELETE FROM score_due")
        return found

    def everything(self) -> list[tuple[Any, ...]]:
        with transaction(self.workspace_id) as db:
            return [row for table in ("signal", "evidence", "suggestion", "interaction") for row in db.execute(f"SELECT t::text FROM {table} t ORDER BY 1")]
