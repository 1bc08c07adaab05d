"""The files around the code: the container's steps are those of ./dev, and no registry address is committed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import skip_or_fail

ROOT = Path(__file__).parent.parent
STEPS = ("pip install", "uv venv", "uv pip sync", "uv pip install")


def _steps(text: str) -> list[str]:
    """The set-up commands in order, without what differs between a laptop and an image."""
    found = []
    for line in text.splitlines():
        for command in re.split(r"&&|;|\|\|", line):
            step = next((s for s in STEPS[::-1] if s in command.replace(".tools/bin/", "")), None)
            if step and "#" not in command:
                found.append(
                    " ".join(w for w in command.replace(".tools/bin/", "").split() if w not in ("RUN", "--quiet") and not w.startswith(("--disable", "--root")))
                )
    return [s[s.index(next(step for step in STEPS if step in s)) :] for s in found]


def test_the_image_is_made_by_the_steps_of_dev():
    dev, image = (ROOT / "dev").read_text(), (ROOT / "Dockerfile").read_text()
    mine = [s for s in _steps(dev) if "compile" not in s]
    assert [s.replace('"', "") for s in _steps(image)] == mine


def test_no_registry_address_is_committed():
    named = re.compile(r"(pypi|pythonhosted|npmjs|debian)\.(org|com|net)|--(extra-)?index-url|^-i ", re.MULTILINE)
    for name in ("requirements.lock", "pyproject.toml", "dev", "Dockerfile", "docker-compose.yml", ".ci/run"):
        text = (ROOT / name).read_text().replace("--no-emit-index-url", "")
        assert named.search(text) is None, name
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert all(line.startswith(("    --hash=", "#")) or "==" in line for line in lines if line.strip())


def test_compose_starts_postgres_redis_api_worker_and_beat_and_gives_no_password_away():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert {"postgres", "redis", "api", "worker", "beat"} <= set(compose["services"])
    assert all(str(port).startswith("127.0.0.1:") for service in compose["services"].values() for port in service.get("ports", []))
    holders = [name for name, service in compose["services"].items() if "OWNER_PASSWORD" in str(service)]
    assert sorted(holders) == ["migrate", "postgres"]


def test_docker_compose_accepts_the_file(tmp_path: Path):
    command = shutil.which("docker-compose")
    if command is None:
        skip_or_fail("not run: needs docker-compose")
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    (tmp_path / ".env").write_text("APP_PASSWORD=a\nOWNER_PASSWORD=b\nREDIS_PASSWORD=c\nUNDERTONE_KEYS=k\n")
    done = subprocess.run([str(command), "config", "-q"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_dev_prints_its_verbs_and_refuses_what_it_does_not_know():
    shown = subprocess.run([str(ROOT / "dev")], capture_output=True, text=True, check=True).stdout
    assert all(re.search(rf"^  {verb} ", shown, re.MULTILINE) for verb in ("demo", "test", "check", "bench", "prove", "serve"))
    assert subprocess.run([str(ROOT / "dev"), "dance"], capture_output=True, check=False).returncode == 2


def test_dev_runs_a_command_in_the_folder_of_whoever_calls_it(tmp_path: Path):
    (tmp_path / "drafts.jsonl").write_text("")
    done = subprocess.run([str(ROOT / "dev"), "run", "review", "drafts.jsonl", "--out", "out.jsonl"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, (tmp_path / "out.jsonl").exists()) == (0, True), done.stderr


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "ml/MODEL_CARD.md", "ml/USAGE_CARD.md"])
def test_what_a_newcomer_looks_for_is_there(name: str):
    assert len((ROOT / name).read_text()) > 500


def test_links_between_documents_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "ml").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
