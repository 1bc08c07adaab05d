"""The `undertone` command: one file per group of verbs."""

from service.cli.app import main

__all__ = ["main"]
