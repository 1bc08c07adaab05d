"""Connectors by name, found through installed packages' entry points."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors import registry
from connectors.errors import Misconfigured

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """install("name", "module:ATTRIBUTE"): as if a package with that entry point were there."""

    def add(name: str, value: str, package: str = "strangers") -> None:
        info = tmp_path / package / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[undertone.connectors]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(str(tmp_path / package))

    registry.connector.cache_clear()
    yield add
    registry.connector.cache_clear()
    sys.modules.pop("strange_crm", None)


def test_an_unknown_name_is_answered_with_the_known_ones(install: Install) -> None:
    install("strange", "connectors.salesforce:CONNECTOR")
    with pytest.raises(Misconfigured, match=r"no connector named hubspot.*strange"):
        registry.connector("hubspot")


def test_one_that_cannot_be_imported_is_named_and_the_others_stay(install: Install) -> None:
    install("broken", "no_such_module:CONNECTOR")
    install("strange", "connectors.salesforce:CONNECTOR", package="others")
    assert {"broken", "strange"} <= set(registry.names())
    assert registry.connector("strange").sink is not None
    with pytest.raises(Misconfigured, match=r"broken \(no_such_module:CONNECTOR\) is installed but cannot be loaded.*no_such_module"):
        registry.connector("broken")


def test_what_is_no_connector_is_refused(install: Install) -> None:
    install("strange", "connectors.salesforce:__doc__")
    with pytest.raises(Misconfigured, match=r"strange .* is not a connectors\.base\.Connector"):
        registry.connector("strange")


def test_two_packages_with_one_name_are_not_chosen_between(install: Install) -> None:
    install("strange", "connectors.salesforce:CONNECTOR")
    install("strange", "other:CONNECTOR", package="others")
    with pytest.raises(Misconfigured, match="Two installed packages"):
        registry.connector("strange")


def test_a_package_of_somebody_else_comes_through_the_same_door(install: Install, tmp_path: Path) -> None:
    install("strange", "strange_crm:CONNECTOR")
    (tmp_path / "strangers" / "strange_crm.py").write_text(
        "from connectors.base import Connector\nfrom connectors.salesforce import CONNECTOR as s\n"
        "CONNECTOR = Connector(config_model=s.config_model, source=s.source)\n"
    )
    assert registry.connector("strange").sink is None
