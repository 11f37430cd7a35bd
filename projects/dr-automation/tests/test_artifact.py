"""The functions' package is the same bytes wherever it is built, and runs on nothing but itself and boto3."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from automation_layer import artifact
from shared.errors import SettingsError

# What Lambda's runtime brings along: boto3 and what it needs, but for jmespath, which the package has itself.
RUNTIME_MODULES = ("boto3", "botocore", "s3transfer", "dateutil", "urllib3", "six")
HANDLERS = ("health_probe.handler", "failover.handler", "fence_guard.handler", "witness.handler")
FIVE_MEGABYTES = 5 * 1000 * 1000


def copy_of_the_functions(folder: Path, modified_at: int) -> Path:
    """The same sources as another checkout has them: other times, modes and leftovers of running them."""
    copy = folder / "functions"
    shutil.copytree(artifact.FUNCTIONS_FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for path in copy.rglob("*"):
        path.chmod(0o700)
        os.utime(path, (modified_at, modified_at))
    leftovers = copy / "health_probe" / "__pycache__"
    leftovers.mkdir()
    (leftovers / "handler.cpython-311.pyc").write_bytes(str(modified_at).encode())
    return copy


def test_the_same_sources_give_the_same_bytes_on_any_day_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = artifact.build(copy_of_the_functions(tmp_path / "one", 1_000_000_000), tmp_path / "one" / "build")
    monkeypatch.chdir(tmp_path / "two")
    two = artifact.build(copy_of_the_functions(tmp_path / "two", 1_700_000_000), tmp_path / "two" / "build")
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.path.name == two.path.name


def test_changed_code_gets_another_name_and_the_old_package_stays(tmp_path: Path) -> None:
    functions = copy_of_the_functions(tmp_path, 1_000_000_000)
    before = artifact.build(functions, tmp_path / "build")
    with (functions / "health_probe" / "handler.py").open("a") as source:
        source.write("# changed\n")
    after = artifact.build(functions, tmp_path / "build")
    assert after.path != before.path
    assert before.path.is_file()


def test_a_damaged_package_is_built_anew(tmp_path: Path) -> None:
    built = artifact.build(build_folder=tmp_path)
    whole = built.path.read_bytes()
    built.path.write_bytes(whole[:100])
    assert artifact.build(build_folder=tmp_path).path.read_bytes() == whole


def test_nothing_in_the_package_depends_on_the_machine(tmp_path: Path) -> None:
    with zipfile.ZipFile(artifact.build(build_folder=tmp_path).path) as package:
        entries = package.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    # Stored: what compression yields depends on the machine's zlib.
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {(entry.date_time, entry.external_attr >> 16, entry.create_system) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644, 3)
    }
    installer_files = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
    assert [name for name in names if name.endswith((".pyc", ".so", *installer_files))] == []


def test_the_licences_travel_along(tmp_path: Path) -> None:
    with zipfile.ZipFile(artifact.build(build_folder=tmp_path).path) as package:
        licences = [name for name in package.namelist() if ".dist-info/" in name]
    assert len(licences) == len(artifact.DISTRIBUTIONS)


def test_the_package_is_small(tmp_path: Path) -> None:
    assert artifact.build(build_folder=tmp_path).size_bytes < FIVE_MEGABYTES


@pytest.mark.parametrize("handler", HANDLERS)
def test_each_handler_imports_with_nothing_but_the_package_and_boto3(tmp_path: Path, handler: str) -> None:
    code = tmp_path / "code"
    with zipfile.ZipFile(artifact.build(build_folder=tmp_path).path) as package:
        package.extractall(code)
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for name in RUNTIME_MODULES:
        source = importlib.import_module(name).__file__
        assert source is not None
        installed = Path(source) if name == "six" else Path(source).parent
        (runtime / installed.name).symlink_to(installed)
    program = (
        f"import sys; sys.path[:0] = [{str(code)!r}, {str(runtime)!r}]; "
        f"import boto3, {handler}; assert callable({handler}.handle)"
    )
    # -I and -S: neither the environment nor the installed packages of this interpreter.
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={"POWERTOOLS_SERVICE_NAME": "test"},
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stderr


def test_another_version_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(artifact.LOCK_FILE.read_text().replace("jmespath==", "jmespath==0.0."))
    with pytest.raises(SettingsError, match=r"jmespath = .*the lock says 0\.0\..*install the locked requirements"):
        artifact.build(build_folder=tmp_path, lock_file=lock)
    assert list(tmp_path.glob("*.zip")) == []
