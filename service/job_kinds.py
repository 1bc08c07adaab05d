"""Which function does which kind of job. Another kind is a line here."""

from __future__ import annotations

from collections.abc import Mapping

from service.budget_trial import budget_trial
from service.first_read import first_read
from service.long_jobs import Work
from service.setup_jobs import check, dry_run

KINDS: Mapping[str, Work] = {"first_read": first_read, "check": check, "dry_run": dry_run, "budget_trial": budget_trial}
