"""What a workspace has decided: one document, in versions that are only added to. Each change says who made it and why, and can be undone."""

from __future__ import annotations

from service.policy.document import Accounts, Policy, as_text, known_fields, read, to_document
from service.policy.reports import report_of, review_of
from service.policy.versions import Version, change, current, standing, undo, versions
from service.policy.words import difference

__all__ = [
    "Accounts",
    "Policy",
    "Version",
    "as_text",
    "change",
    "current",
    "difference",
    "known_fields",
    "read",
    "report_of",
    "review_of",
    "standing",
    "to_document",
    "undo",
    "versions",
]
