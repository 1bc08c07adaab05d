"""Decisions, data and HTTP."""
