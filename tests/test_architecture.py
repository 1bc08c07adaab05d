"""The import contracts hold, and each of them can fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("service", "workers", "connectors", "ml")

SABOTAGE = {
    "ml/calendar.py imports service.config": "One direction",
    "service/store/usage.py imports service.pull": "Inside service",
    "connectors/usage_files/source.py imports connectors.mail_files": "Connectors do not know each other",
    "ml/calendar.py imports time": "ml does no I/O",
    "service/api/signals.py imports psycopg": "Only service.store speaks to Postgres",
    "service/score.py imports celery": "Only workers and service.jobs know Celery",
    "service/signals.py imports pydantic": "The domain is plain Python",
}


def _lint(root: Path) -> str:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", str(ROOT / ".importlinter")]
    done = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("architecture")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "stories", "models"))
    (folder / "connectors" / "sandbox" / "stories").mkdir()
    shutil.copy(ROOT / "connectors" / "sandbox" / "stories" / "__init__.py", folder / "connectors" / "sandbox" / "stories" / "__init__.py")
    return folder


@pytest.mark.parametrize("violation", SABOTAGE)
def test_a_violation_is_caught_by_the_contract_that_is_meant_for_it(copy: Path, violation: str):
    file, _, module = violation.partition(" imports ")
    path = copy / file
    before = path.read_text()
    path.write_text(f"{before}\nimport {module}\n")
    try:
        broken = [line for line in _lint(copy).splitlines() if " BROKEN" in line]
    finally:
        path.write_text(before)
    assert len(broken) == 1
    assert broken[0].startswith(SABOTAGE[violation])


def test_a_drawer_for_everything_cannot_be_added_to_service(copy: Path):
    (copy / "service" / "utils.py").write_text("")
    try:
        assert "service.utils" in _lint(copy)
    finally:
        (copy / "service" / "utils.py").unlink()


def test_all_contracts_hold(copy: Path):
    assert "0 broken" in _lint(copy)


def test_no_file_and_no_function_outgrows_its_room():
    import ast

    large, long_ = [], []
    for path in (p for package in PACKAGES for p in (ROOT / package).rglob("*.py")):
        text = path.read_text("utf-8")
        if text.count("\n") > 300:
            large.append(str(path.relative_to(ROOT)))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                doc = ast.get_docstring(node, clean=False) or ""
                length = (node.end_lineno or 0) - node.lineno + 1 - (doc.count("\n") + 1 if doc else 0)
                if length > 50:
                    long_.append(f"{path.relative_to(ROOT)}:{node.name}")
    assert (large, long_) == ([], [])
