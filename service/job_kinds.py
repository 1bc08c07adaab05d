"""Which function does which kind of job. Another kind is a line here."""

from __future__ import annotations

from collections.abc import Mapping

from service.first_read import first_read
from service.long_jobs import Work

KINDS: Mapping[str, Work] = {"first_read": first_read}
