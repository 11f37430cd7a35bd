"""The bootstrap script `dr` works on different machines, and installs exactly what the lock file says."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from shared.layers import REPOSITORY_ROOT

SCRIPT = REPOSITORY_ROOT / "dr"


@pytest.fixture
def dr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with its environment in a temporary folder."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader("dr", str(SCRIPT))
    spec = importlib.util.spec_from_loader("dr", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "ENVIRONMENT", tmp_path / "environment")
    monkeypatch.setattr(module, "STAMP", tmp_path / "environment" / "installed-from")
    monkeypatch.setattr(module, "PYTHON", tmp_path / "environment" / "bin" / "python")
    return module


def making(folder: Path) -> list[str]:
    return [sys.executable, "-c", f"import pathlib; pathlib.Path({str(folder)!r}).mkdir()"]


FAILING = [sys.executable, "-c", "import sys; sys.exit('ensurepip is not available')"]


@pytest.mark.parametrize(
    ("given", "for_nox"),
    [
        ([], ["--list"]),
        (["--list"], ["--list"]),
        (["drill"], ["--session", "drill"]),
        (["drill", "--", "--scenario", "x"], ["--session", "drill", "--", "--scenario", "x"]),
        (["deploy", "--", "network", "--yes"], ["--session", "deploy", "--", "network", "--yes"]),
    ],
    ids=" ".join,
)
def test_the_first_word_is_the_session_and_the_rest_goes_to_nox(
    dr: ModuleType, given: list[str], for_nox: list[str]
) -> None:
    assert dr.nox_arguments(given) == ["--noxfile", str(REPOSITORY_ROOT / "noxfile.py"), *for_nox]


@pytest.mark.parametrize("words", [["destroy", "lab"], ["destroy", "lab", "--", "--yes"], ["deploy", "environment"]])
def test_a_second_word_is_refused(dr: ModuleType, words: list[str]) -> None:
    with pytest.raises(dr.BootstrapError, match=rf"\./dr {words[0]} -- --stack {words[1]}"):
        dr.nox_arguments(words)


def test_if_venv_cannot_make_pip_the_next_way_is_tried(dr: ModuleType) -> None:
    dr.make_environment(iter([("first", [FAILING]), ("second", [making(dr.ENVIRONMENT)])]))
    assert dr.STAMP.exists()


def test_if_no_way_works_the_error_is_one_line_with_the_remedy_and_nothing_is_left(dr: ModuleType) -> None:
    with pytest.raises(dr.BootstrapError, match="install python3-venv") as error:
        dr.make_environment(iter([("first", [making(dr.ENVIRONMENT), FAILING]), ("second", [FAILING])]))
    assert "first: ensurepip is not available; second: ensurepip is not available" in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert not dr.ENVIRONMENT.exists()


def test_an_environment_made_from_another_lock_is_not_used(
    dr: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dr.PYTHON.parent.mkdir(parents=True)
    dr.PYTHON.symlink_to(sys.executable)
    dr.STAMP.write_text(dr.fingerprint())
    assert dr.is_ready()
    newer = tmp_path / "bootstrap.lock"
    newer.write_text("nox==1")
    monkeypatch.setattr(dr, "LOCK", newer)
    assert not dr.is_ready()


def test_an_environment_whose_python_is_gone_is_not_used(dr: ModuleType, tmp_path: Path) -> None:
    dr.PYTHON.parent.mkdir(parents=True)
    dr.PYTHON.symlink_to(tmp_path / "python-that-was-upgraded-away")
    dr.STAMP.write_text(dr.fingerprint())
    assert not dr.is_ready()


def test_every_way_checks_hashes_and_builds_nothing(dr: ModuleType) -> None:
    ways = list(dr.ways("/usr/bin/uv", has_pip=True))
    assert [name for name, _ in ways] == ["python -m venv", "uv", "pip --python"]
    for _, commands in ways:
        assert {"--require-hashes", "--only-binary"} <= set(commands[-1])


def test_it_is_executable() -> None:
    assert os.access(SCRIPT, os.X_OK)
    assert SCRIPT.read_text().startswith("#!/usr/bin/env python3\n")


def test_an_older_python_can_parse_it_up_to_the_version_check() -> None:
    # Python 3.7's grammar is the oldest that ast.parse accepts.
    check = "import ast, pathlib, sys; ast.parse(pathlib.Path(sys.argv[1]).read_text(), feature_version=(3, 7))"
    subprocess.run([sys.executable, "-c", check, str(SCRIPT)], check=True)
    assert SCRIPT.read_text().index("sys.version_info <") < SCRIPT.read_text().index("import hashlib")


@pytest.mark.parametrize("lock", ["bootstrap.lock", "mutation.lock", "requirements.lock"])
def test_a_lock_file_has_hashes_and_names_no_index(lock: str) -> None:
    text = (REPOSITORY_ROOT / lock).read_text()
    entries = [line for line in text.splitlines() if line[:1].isalnum()]
    assert entries
    assert all("==" in line and line.endswith("\\") for line in entries)
    assert "://" not in text
