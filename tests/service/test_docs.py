"""What docs/configuration.md says of a setting is what the program does."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from service import config
from service.config import Settings, read

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", (ROOT / "docs" / "configuration.md").read_text(), re.M)
NAMES = [name for name, _, _ in ROWS]
FIELD_OF = {"UNDERTONE_NOW": "fixed_now"}


def field_of(name: str) -> str:
    return FIELD_OF.get(name, name.removeprefix("UNDERTONE_").lower())


def test_the_table_has_each_setting_once_and_no_other():
    assert sorted(map(field_of, NAMES)) == sorted(f.name for f in fields(Settings))


def test_the_table_names_them_as_the_program_reads_them():
    source = Path(config.__file__).read_text()
    assert set(re.findall(r'"((?:UNDERTONE|DATABASE|REDIS)_[A-Z_]+)"', source)) == set(NAMES)


@pytest.mark.parametrize(("name", "default"), [(name, default.strip("`")) for name, default, _ in ROWS if re.fullmatch(r"`\S+`", default)])
def test_a_default_in_the_table_is_the_default(name, default):
    assert getattr(read({name: default}), field_of(name)) == getattr(read({}), field_of(name))
    assert str(getattr(read({}), field_of(name))) == default or name == "UNDERTONE_PUSH_LEASE"


@pytest.mark.parametrize("where", ["docker-compose.yml", "Dockerfile"])
def test_no_file_sets_something_that_the_program_does_not_read(where):
    assert set(re.findall(r"\b(?:UNDERTONE_[A-Z_]+|DATABASE_[A-Z_]*URL|REDIS_URL)\b", (ROOT / where).read_text())) <= set(NAMES)
