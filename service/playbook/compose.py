from __future__ import annotations

from service.signals import Case, Composition


def compose(case: Case) -> Composition:
    raise NotImplementedError
