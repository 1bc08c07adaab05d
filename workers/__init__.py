"""Celery, and nothing else: a message becomes one call into service."""
