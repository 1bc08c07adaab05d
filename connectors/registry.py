"""Connectors by name. Built-in ones and those of other packages come through the same door: entry points."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from connectors.base import Connector
from connectors.errors import Misconfigured

GROUP = "undertone.connectors"


def names() -> list[str]:
    """Of all that are installed, also of one that cannot be imported here: `connector` says why."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


@cache
def connector(name: str) -> Connector:
    """Raises Misconfigured with a sentence if there is no such connector or it cannot be loaded."""
    entry = _entry(name)
    try:
        found = entry.load()
    except (ImportError, AttributeError) as error:
        message = f"Connector {name} ({entry.value}) is installed but cannot be loaded: {error}. Install what it needs, or remove its package."
        raise Misconfigured(message) from error
    if not isinstance(found, Connector):
        message = f"Connector {name} ({entry.value}) is not a connectors.base.Connector. Its package has to export one under that name."
        raise Misconfigured(message)
    return found


def _entry(name: str) -> EntryPoint:
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=name)}
    if not found:
        message = f"There is no connector named {name}. There are: {', '.join(names()) or 'none (install the package undertone-crm)'}."
        raise Misconfigured(message)
    if len(found) > 1:
        message = f"Two installed packages offer a connector named {name}: {' and '.join(sorted(found))}. Remove one of them."
        raise Misconfigured(message)
    return next(iter(found.values()))
