"""Logs hold named fields and constant sentences: no words, no addresses, no tokens, whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from service import log
from service.config import settings
from tests.client import serving

PRIVATE = "bo@acme.example said: we are leaving"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def lines() -> Iterator[Any]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log.JsonLines())
    logger = logging.getLogger("undertone.test")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    logger.propagate = False
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


def logger() -> logging.Logger:
    return logging.getLogger("undertone.test")


def test_a_field_that_has_no_name_of_ours_stays_out(lines):
    logger().info("landed", extra={"rows": 3, "body": PRIVATE, "email": PRIVATE, "token": PRIVATE})
    assert lines()[0]["rows"] == 3
    assert PRIVATE not in json.dumps(lines())


def test_an_exceptions_message_stays_out_and_its_type_and_place_stay_in(lines):
    try:
        try:
            raise ValueError(PRIVATE)
        except ValueError as error:
            raise KeyError(PRIVATE) from error
    except KeyError:
        logger().exception("unexpected error")
    [line] = lines()
    assert line["error_type"] == "KeyError"
    assert line["where"][-1].endswith("test_an_exceptions_message_stays_out_and_its_type_and_place_stay_in")
    assert "acme" not in json.dumps(line)


def test_an_exception_that_is_logged_as_a_message_shows_its_type_alone(lines):
    logger().error(ValueError(PRIVATE))
    assert lines()[0]["message"] == "ValueError"


def test_the_arguments_of_a_librarys_message_stay_out(lines):
    logger().warning("error connecting to %s", PRIVATE)
    logger().warning("Task %(name)s[%(id)s] took %(x)0.3fs, 100%% sure", {"name": PRIVATE, "id": 1, "x": 2})
    assert [line["message"] for line in lines()] == ["error connecting to ...", "Task ...[...] took ...s, 100% sure"]


def test_what_a_context_carries_is_held_to_the_same_names(lines):
    before = log.context.set({"job": "undertone.pull", "job_id": "7", "words": PRIVATE})
    logger().info("pulled")
    log.context.reset(before)
    assert (lines()[0]["job"], lines()[0]["job_id"]) == ("undertone.pull", "7")
    assert PRIVATE not in json.dumps(lines())


def test_no_value_can_forge_a_line(lines):
    logger().info("landed", extra={"stream": 'x"}\n{"level": "error"\u2028\r\x1b[31m'})
    assert len(lines()) == 1
    assert lines()[0]["level"] == "info"


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, b"\xff", float("nan"), None])
def test_no_value_breaks_a_line(lines, value):
    logger().info("landed", extra={"rows": value})
    assert lines()[0]["message"] == "landed"


def test_a_server_writes_its_own_lines_the_same_way_and_shows_no_private_text(servers, tmp_path):
    """A real server whose route fails with somebody's words in the error, asked with a secret in the address."""
    (tmp_path / "failing.py").write_text(
        "from service.api import create_app as make\n"
        "def create_app():\n"
        "    app = make()\n"
        "    @app.get('/fail/{word}')\n"
        "    def fail(word: str):\n"
        f"        raise ValueError({PRIVATE!r})\n"
        "    return app\n"
    )
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "DATABASE_URL": str(settings().database_url), "REDIS_URL": str(settings().redis_url)}
    with (tmp_path / "log").open("wb") as log_file, serving("failing:create_app", environ, log_file) as address:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{address}/fail/sesame?code=sesame", timeout=20)
        assert caught.value.code == 500
        with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0), timeout=20) as line:
            line.sendall(b"sesame\r\n\r\n")
            assert b"400" in line.recv(1000)
    written = (tmp_path / "log").read_text()
    found = [json.loads(line) for line in written.splitlines()]
    assert [(line["message"], line["error_type"], line["route"]) for line in found if line["level"] == "error"] == [
        ("unexpected error", "ValueError", "/fail/{word}")
    ]
    assert [line["level"] for line in found if line["logger"] == "uvicorn.error"] == ["warning"]
    assert "acme" not in written
    assert "sesame" not in written


def test_set_up_writes_json_to_stderr():
    code = "from service import log; import logging; log.set_up('INFO'); logging.getLogger('undertone.x').info('hello', extra={'rows': 1})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == ""
    assert json.loads(done.stderr)["rows"] == 1
