"""Product usage from CSV or NDJSON files: account, metric, day, value."""

from connectors.usage_files.source import CONNECTOR

__all__ = ["CONNECTOR"]
