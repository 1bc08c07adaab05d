"""The README tells all there is: kinds of faults, path classes, verbs."""

from __future__ import annotations

from pathlib import Path

import pytest

import connectors.sandbox
from connectors.sandbox import admin
from connectors.sandbox.__main__ import main
from connectors.sandbox.faults import KINDS
from connectors.sandbox.gateway import PATH_CLASSES

_README = (Path(connectors.sandbox.__file__).parent / "README.md").read_text("utf-8")


def test_no_fault_verb_or_path_class_is_left_out() -> None:
    told = set(_README.replace("(", "`").split("`"))
    told |= {f"{start}{end}" for start in ("bulk_query_", "bulk_ingest_") for end in ("create", "list", "info", "change", "delete", "results", "upload")}
    assert {*KINDS, *admin.__all__, *PATH_CLASSES} - told == set()


def test_the_help_tells_the_faults_and_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    words = capsys.readouterr().out.replace(",", " ").replace(".", " ").split()
    assert {*KINDS, *admin.__all__} - set(words) == set()
