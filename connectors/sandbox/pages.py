"""What is not Salesforce: counters and faults for tests, and the task list as the org's own people would see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, StrictUndefined

from connectors.sandbox import faults, writes
from connectors.sandbox.admin import person
from connectors.sandbox.admin.verbs import carry_out
from connectors.sandbox.errors import Refusal
from connectors.sandbox.identity import is_own_name
from connectors.sandbox.markup import STYLE, TASKS
from connectors.sandbox.objects import FEEDBACK, FEEDBACK_LABELS, KEY, TASK_STATUSES
from connectors.sandbox.org import Org
from connectors.sandbox.routing import Answer, Handler, Request
from connectors.sandbox.tables import Row
from connectors.sandbox.writes import Writer

_SHOWN = 200
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_SAFE = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
_TEMPLATE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(TASKS)
_TASKS = f"""
    SELECT t.Id, t.Subject, a.Name AS account, o.Name AS owner, c.Name AS contact, t.ActivityDate, t.Priority, t.Status, t.IsClosed, t.Description,
           t.{FEEDBACK}, t.{KEY}, t.CreatedDate
    FROM Task t LEFT JOIN Account a ON a.Id = t.AccountId LEFT JOIN User o ON o.Id = t.OwnerId LEFT JOIN Contact c ON c.Id = t.WhoId
    WHERE NOT t.IsDeleted ORDER BY t.{KEY} IS NULL, t.CreatedDate DESC, t._number DESC LIMIT ?"""
_COLUMNS = ("id", "subject", "account", "owner", "contact", "due", "priority", "status", "closed", "description", "feedback", "key", "created")


def answer(org: Org, request: Request) -> Answer:
    """Everything under /sandbox. Only for someone who came to this server by its own name."""
    if not is_own_name(request.headers.get("host", "")):
        return _text(403, "Open this page by the address that the sandbox printed when it started.")
    if request.method == "POST" and not _from_here(request):
        return _text(403, "This form was not sent from the page of this sandbox.")
    page = _PAGES.get((request.method, request.path.rstrip("/")))
    return page(org, request) if page else _text(404, "There is no such page. The task list is at /sandbox/tasks.")


def _from_here(request: Request) -> bool:
    """A browser says where a form came from; a program says nothing, and no page can make a browser say nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _counters(org: Org, _request: Request) -> Answer:
    return Answer(body=org.counters.as_json())


def _clear_faults(org: Org, _request: Request) -> Answer:
    org.faults.clear()
    return Answer(status=204)


def _faults(org: Org, _request: Request) -> Answer:
    kinds = {name: {"tells": kind.tells, "used_up_by": kind.stage, "on": kind.on} for name, kind in faults.KINDS.items()}
    return Answer(body={"waiting": [asdict(f) for f in org.faults.waiting()], "kinds": kinds})


def _reset_counters(org: Org, _request: Request) -> Answer:
    org.counters.reset()
    return Answer(status=204)


def _admin(org: Org, request: Request) -> Answer:
    try:
        return Answer(body={"result": carry_out(org, request.json())})
    except (ValueError, Refusal) as error:
        return _text(400, f"Nothing was done: {error}.")


def _style(_org: Org, _request: Request) -> Answer:
    return Answer(body=STYLE.encode(), content_type="text/css; charset=utf-8", headers=_SAFE)


def _tasks(org: Org, _request: Request) -> Answer:
    return _page(org)


def _set_faults(org: Org, request: Request) -> Answer:
    try:
        wanted = request.json()
        org.faults.add(*[faults.from_json(one) for one in (wanted if isinstance(wanted, list) else [wanted])])
    except (ValueError, AttributeError, Refusal) as error:
        return _text(400, f"These faults were not set: {error}.")
    return Answer(status=204)


def _page(org: Org, error: str = "", status: int = 200) -> Answer:
    tasks = [dict(zip(_COLUMNS, row, strict=True)) for row in org.tables.fetch(_TASKS, (_SHOWN,))]
    today = org.clock.now().date()
    html = _TEMPLATE.render(
        org=org.story.name,
        product=org.story.product,
        today=today,
        ours=[_shown(t, today) for t in tasks if t["key"]],
        others=[_shown(t, today) for t in tasks if not t["key"]],
        statuses=list(TASK_STATUSES),
        feedback_labels=FEEDBACK_LABELS,
        error=error,
    )
    return Answer(status=status, body=html.encode(), content_type="text/html; charset=utf-8", headers=_SAFE)


def _shown(task: Row, today: date) -> Row:
    overdue = bool(task["due"]) and not task["closed"] and date.fromisoformat(task["due"]) < today
    return {**task, "overdue": overdue, "closed": bool(task["closed"])}


def _change_task(org: Org, request: Request) -> Answer:
    """Status and feedback as the form sent them; back to the list, at that task."""
    form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True).items()}
    task = org.sobject("Task")
    changes: dict[str, Any] = {field: form[name] for name, field in (("status", "Status"), ("feedback", FEEDBACK)) if name in form and task.field(field)}
    try:
        written = writes.update(Writer(org=org, user_id=person(org)), task, form.get("id", ""), changes)
    except Refusal as refusal:
        return _page(org, error=f"The task was not changed: {refusal.message}.", status=400)
    org.counters.wrote(written.object, written.action)
    return Answer(status=303, headers={**_SAFE, "Location": f"/sandbox/tasks#{written.id}"})


_PAGES: Mapping[tuple[str, str], Handler] = {
    ("GET", "/sandbox"): _tasks,
    ("GET", "/sandbox/tasks"): _tasks,
    ("POST", "/sandbox/tasks"): _change_task,
    ("GET", "/sandbox/style.css"): _style,
    ("GET", "/sandbox/counters"): _counters,
    ("POST", "/sandbox/faults"): _set_faults,
    ("GET", "/sandbox/faults"): _faults,
    ("DELETE", "/sandbox/faults"): _clear_faults,
    ("DELETE", "/sandbox/counters"): _reset_counters,
    ("POST", "/sandbox/admin"): _admin,
}


def _text(status: int, words: str) -> Answer:
    return Answer(status=status, body=f"{words}\n".encode(), content_type="text/plain; charset=utf-8", headers=_SAFE)
