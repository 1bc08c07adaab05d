"""The fields that an admin deploys are the fields that the connector asks for."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, parse

import connectors.salesforce
from connectors.salesforce.keys import LONGEST_KEY
from tests.connectors.salesforce.test_config import config

FIELDS = Path(connectors.salesforce.__file__).parent / "metadata/force-app/main/default/objects/Activity/fields"
VERDICTS = {"used", "edited", "not_now", "wrong_reading"}


def field(name: str | None) -> Element:
    return parse(FIELDS / f"{name}.field-meta.xml").getroot()


def text(root: Element, tag: str) -> str | None:
    return root.findtext(f"{{*}}{tag}")


def test_the_key_field_can_guard_what_is_written() -> None:
    key = field(config().key_field)
    assert text(key, "fullName") == config().key_field
    assert [text(key, tag) for tag in ("type", "externalId", "unique", "length")] == ["Text", "true", "true", str(LONGEST_KEY)]


def test_the_feedback_field_offers_the_verdicts_that_are_understood() -> None:
    feedback = field(config().feedback_field)
    assert {v.findtext("{*}fullName") for v in feedback.iter() if v.tag.endswith("}value")} == VERDICTS
