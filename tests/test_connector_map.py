"""docs/connectors.md and docs/salesforce.md say what is there: the tests that hold a promise, the example, the fields and the refusals."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from connectors.base import Connector, Cursor
from connectors.context import alone
from connectors.salesforce import faults
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.readings import READINGS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "connectors.md").read_text("utf-8")
SALESFORCE = (ROOT / "docs" / "salesforce.md").read_text("utf-8")
NAMED = re.findall(r"`([\w/.]+\.py)::(test_\w+)`", PAGE)
ROWS = [line for line in PAGE.splitlines() if "::test_" in line]


@cache
def named_in(path: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED)))
def test_a_test_that_the_page_names_exists(file, test):
    path = ROOT / file if file.startswith("connectors/conformance") else ROOT / "tests" / file
    assert test in named_in(path)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_the_map_has_a_promise_and_nothing_but_tests_beside_it(row):
    promise, tests = (cell.strip() for cell in row.strip("| ").split(" | "))
    assert len(promise) > 10
    assert re.fullmatch(r"(`[\w/.]+\.py::test_\w+` ?)+", tests)


def test_no_promise_of_salesforce_and_the_runner_is_left_out():
    checklist, bugs = PAGE.split("Bugs that other connectors had")
    numbers = {int(n) for n in re.findall(r"^\| (\d+) ", checklist, re.M)}
    assert numbers >= {*range(1, 31), 32, 38, 39, 40}
    assert {int(n) for n in re.findall(r"^\| (\d+) ", bugs, re.M)} == {*range(1, 16), 20, 25}


def test_the_example_is_a_connector():
    example = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "CONNECTOR" in block)
    names: dict[str, object] = {}
    exec(example, names)
    connector = names["CONNECTOR"]
    assert isinstance(connector, Connector)
    source = connector.source(alone({"host": "crm.example"}))
    [stream] = source.streams()
    [page] = source.read(stream.name, Cursor(), datetime(2026, 3, 2, tzinfo=UTC))
    assert page.records


FIELDS = {name for reading in READINGS.values() for name in reading.fields(SalesforceConfig(domain="acme.my", consumer_key="k")).values() if name}
SETTINGS = {"region_field", "timezone_field", "seats_field", "arr_field", "renewal_date_field", "opportunity_type_field", "key_field", "feedback_field"}
MAPPED = {getattr(SalesforceConfig(domain="acme.my", consumer_key="k"), s) for s in SETTINGS}


@pytest.mark.parametrize("field", sorted(FIELDS - MAPPED))
def test_every_field_that_is_read_stands_on_the_page(field):
    assert re.search(rf"\b{re.escape(field)}\b", SALESFORCE)


@pytest.mark.parametrize("code", sorted(faults._RULES))
def test_every_refusal_that_is_known_stands_on_the_page(code):
    assert f"`{code}`" in SALESFORCE


@pytest.mark.parametrize("setting", ["api_share", "run_share", "bulk_from", "api_version"])
def test_a_default_on_the_page_is_the_default(setting):
    default = SalesforceConfig.model_fields[setting].default
    said = f"{default:,}" if isinstance(default, int) else str(default)
    assert re.search(rf"`{setting}`[^\n]*{re.escape(said)}", SALESFORCE)
