from __future__ import annotations

from service.signals import Case, Composition, TaskText


def task_text(case: Case, composition: Composition, *, quotes: bool, link: str, draft_text: str | None) -> TaskText:
    raise NotImplementedError
