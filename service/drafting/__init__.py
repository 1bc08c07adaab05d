"""Drafts that a thoughtful person could have written, from evidence and authored phrases alone. Pure, and the same for the same request.

draft(request) -> Drafted   the best draft, two that follow other plans, and what the critic says of each
"""

from service.drafting.engine import draft
from service.drafting.request import Drafted, Request, Segment, Words, Written

__all__ = ["Drafted", "Request", "Segment", "Words", "Written", "draft"]
