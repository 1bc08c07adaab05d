"""Mail from .eml and .mbox files, folders read recursively."""

from connectors.mail_files.source import CONNECTOR

__all__ = ["CONNECTOR"]
