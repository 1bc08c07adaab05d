"""Drafts that a thoughtful person could have written, from evidence and authored phrases alone. Pure, and the same for the same request.

draft(request) -> Drafted   the best draft, two that follow other plans, and what the critic says of each
rewriting.rewrite(...)      the same, after a language model has been asked to put it better; only where the team has one
"""

from service.drafting.engine import draft
from service.drafting.request import Drafted, Request, Rewriting, Segment, Words, Written

__all__ = ["Drafted", "Request", "Rewriting", "Segment", "Words", "Written", "draft"]
