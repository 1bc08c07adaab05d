"""A small org to start from: three people of ours, five accounts, a contact each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

STORY = {"name": "Sequence", "product": "Rosters", "our_domain": "vendor.example", "first_day": "2025-06-01", "last_day": "2026-03-02"}
USERS: list[dict[str, Any]] = [
    {"key": "ann", "name": "Ann Berg", "email": "ann@vendor.example", "active": True, "manager": "mo"},
    {"key": "mo", "name": "Mo Diaz", "email": "mo@vendor.example", "active": True, "manager": None},
]
NAMES = ("Acme", "Birch", "Cedar", "Dune", "Elm")


def write_story(folder: Path) -> None:
    rows = {
        "users": USERS,
        "accounts": [
            {
                **{"key": name.lower(), "name": name, "website": f"{name.lower()}.example", "owner": "ann", "region": "DE"},
                **{"seats": 40, "arr": 12000.0, "currency": "EUR"},
            }
            for name in NAMES
        ],
        "contacts": [
            {"key": f"of-{name.lower()}", "account": name.lower(), "name": f"Bo {name}", "email": f"bo@{name.lower()}.example", "title": "COO"}
            for name in NAMES
        ],
    }
    (folder / "story.json").write_text(json.dumps(STORY))
    for name, lines in rows.items():
        (folder / f"{name}.ndjson").write_text("\n".join(json.dumps(line) for line in lines))
