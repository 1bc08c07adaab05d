"""Erasing a person: no word is left anywhere, and what rested on it says so."""

from __future__ import annotations

from uuid import UUID, uuid4

from psycopg import sql
from typer.testing import CliRunner

from service.cli.app import app
from service.signals import Quote, Segment
from service.store import messages, models, signals, suggestions, workspaces
from service.store.pool import transaction
from service.task import draft_text, quoted_messages
from tests import builders

SECRET = "The rosters of ward seven are quite wrong again."


def test_no_table_holds_a_word_of_an_erased_person(workspace: UUID, servers: str):
    with transaction(workspace) as db:
        crm = builders.connection(db)
        account_id = builders.account(db, crm)
        builders.land_emails(db, crm, [builders.email("M1", body=SECRET), builders.email("M2", body="Mine stays.", from_email="cy@acme.example")])
        (written,) = (i for i, body in messages.bodies(db, _ids(db)).items() if body == SECRET)
        found = builders.signal(account_id, evidence=(builders.words(written, 0, 21),))
        change = workspaces.next_change(db)
        signals.append(db, [found], "m", change)
        draft = (Segment(move="ACK", parts=("You wrote ", Quote(interaction_id=written, start=0, end=21), "."), evidence_ids=()),)
        made = uuid4()
        plain = builders.suggestion(made, account_id, found.id)
        suggestions.append(db, suggestions.Suggestion(**{n: getattr(plain, n) if n != "draft" else draft for n in plain.__dataclass_fields__}), change)
        assert draft_text(draft, messages.bodies(db, quoted_messages(draft))) == 'You wrote "the rosters of ward s".'
        assert messages.erase_person(db, "BO@acme.example") == 1
        row = suggestions.get(db, made)
        assert row is not None
        assert draft_text(row.draft, messages.bodies(db, quoted_messages(row.draft))) is None
        assert signals.current(db, [account_id])[0].signal.evidence[0].text is None
        assert list(messages.bodies(db, _ids(db)).values()) == ["Mine stays."]
        for (table,) in db.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migration'"
        ).fetchall():
            rows = db.execute(sql.SQL("SELECT count(*) FROM {} t WHERE t::text LIKE %s").format(sql.Identifier(table)), ["%ward seven%"]).fetchone()
            assert rows == (0,), table


def test_whoever_erases_is_told_of_what_a_reader_learned(workspace: UUID):
    def told() -> str:
        return CliRunner().invoke(app, ["erase", "bo@acme.example", "-w", f"test {workspace}"]).output

    with transaction(workspace) as db:
        builders.land_emails(db, builders.connection(db), [builders.email("M1", body="Mine.")])
    assert "Deleted the words of 1 message." in told()
    assert "Deleted the words of 0 messages." in told()
    assert "weights" not in told()
    with transaction(workspace) as db:
        models.append(db, "team-1", "reading-1", "promoted", {}, b"weights", {}, workspaces.next_change(db))
    assert "stays in its weights" in told()


def _ids(db: object) -> list[UUID]:
    return [i for (i,) in db.execute("SELECT interaction_id FROM interaction")]  # type: ignore[attr-defined]
