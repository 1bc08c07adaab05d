"""Salesforce: accounts, people, opportunities, mail and activities in; tasks out."""

from connectors.salesforce.connector import CONNECTOR

__all__ = ["CONNECTOR"]
