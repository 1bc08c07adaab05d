"""The critic: checks a draft against the rules of docs/rules.md, whoever wrote it."""

from __future__ import annotations

from service.critic.draft import CHANNELS, Draft, Evidence, Finding, Review, Scores, Suppressed
from service.critic.policy import Policy
from service.critic.review import review

__all__ = ["CHANNELS", "Draft", "Evidence", "Finding", "Policy", "Review", "Scores", "Suppressed", "review"]
