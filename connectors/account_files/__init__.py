"""Accounts, their owners, renewals and contacts from two CSV files, for a company without a CRM at hand."""

from connectors.account_files.source import CONNECTOR

__all__ = ["CONNECTOR"]
