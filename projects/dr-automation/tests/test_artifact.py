"""A function's archive holds what it imports and nothing else, and is the same bytes wherever it is built."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from automation_layer import artifact
from automation_layer.distributions import DISTRIBUTIONS
from shared.errors import SettingsError

# What Lambda's runtime brings along: boto3 and what it needs, but for jmespath, which the archive has itself.
RUNTIME_MODULES = ("boto3", "botocore", "s3transfer", "dateutil", "urllib3", "six")
PACKAGES = ("health_probe", "failover", "fence_guard", "snapshot_copier", "witness")
FIVE_MEGABYTES = 5 * 1000 * 1000
IMPORT = """
import json, sys
code, runtime, module = sys.argv[1:]
sys.path[:0] = [code, runtime]
import boto3
assert callable(__import__(module, fromlist=["handle"]).handle)
files = {str(getattr(each, "__file__", "")) for each in sys.modules.values()}
print(json.dumps(sorted(file.removeprefix(f"{code}/") for file in files if file.startswith(f"{code}/"))))
"""


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    return copy_of_the_functions(tmp_path, 1_000_000_000)


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


def archive_of(package: str, functions: Path, build_folder: Path) -> artifact.Artifact:
    return artifact.build(f"{package}.handler.handle", functions, build_folder)


def archive_names(functions: Path, build_folder: Path) -> dict[str, str]:
    return {package: archive_of(package, functions, build_folder).path.name for package in PACKAGES}


def entries_of(package: str, build_folder: Path) -> list[str]:
    with zipfile.ZipFile(archive_of(package, artifact.FUNCTIONS_FOLDER, build_folder).path) as archive:
        return archive.namelist()


def own_entries_of(package: str, build_folder: Path) -> set[str]:
    packages = {path.name for path in artifact.FUNCTIONS_FOLDER.iterdir()}
    return {entry for entry in entries_of(package, build_folder) if entry.partition("/")[0] in packages}


def taken_by(package: str) -> set[str]:
    """The distributions that a function's archive holds."""
    for_the_session = {"asn1crypto", "dateutil", "pg8000", "scramp", "six"}
    return set(DISTRIBUTIONS) - (set() if package == "health_probe" else for_the_session)


def changed_by(module: str, functions: Path, build_folder: Path) -> set[str]:
    """The packages whose function has another archive after a comment in one module."""
    before = archive_names(functions, build_folder)
    with (functions / module).open("a") as source:
        source.write("# changed\n")
    after = archive_names(functions, build_folder)
    return {package for package in PACKAGES if after[package] != before[package]}


def imported_alone(package: str, folder: Path) -> set[str]:
    """The archive's files that importing its handler loads, with nothing but the archive and boto3 to import from."""
    code = folder / "code"
    with zipfile.ZipFile(archive_of(package, artifact.FUNCTIONS_FOLDER, folder / "build").path) as archive:
        archive.extractall(code)
    runtime = folder / "runtime"
    runtime.mkdir()
    for name in RUNTIME_MODULES:
        source = importlib.import_module(name).__file__
        assert source is not None
        installed = Path(source) if name == "six" else Path(source).parent
        (runtime / installed.name).symlink_to(installed)
    # -I and -S: neither the environment nor the installed packages of this interpreter.
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT, str(code), str(runtime), f"{package}.handler"],
        capture_output=True,
        text=True,
        check=False,
        env={"POWERTOOLS_SERVICE_NAME": "test"},
        cwd=folder,
    )
    assert finished.returncode == 0, finished.stderr
    return set(json.loads(finished.stdout))


def is_imported_late(entry: str, entries: set[str]) -> bool:
    """Whether a module is imported inside a function of another one, so that importing the handler does not load it."""
    package, name = entry.removesuffix(".py").rsplit("/", 1)
    statement = re.compile(rf"^\s+(from|import) {re.escape(package.replace('/', '.'))}\b.*\b{name}\b", re.MULTILINE)
    return any(statement.search((artifact.FUNCTIONS_FOLDER / each).read_text()) for each in entries)


def test_the_same_sources_give_the_same_bytes_on_any_day_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = archive_of(package, copy_of_the_functions(tmp_path / "one", 1_000_000_000), tmp_path / "one" / "build")
    monkeypatch.chdir(tmp_path / "two")
    two = archive_of(package, copy_of_the_functions(tmp_path / "two", 1_700_000_000), tmp_path / "two" / "build")
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.path.name == two.path.name


def test_an_archive_has_its_functions_name_and_digest(tmp_path: Path) -> None:
    built = archive_of("health_probe", artifact.FUNCTIONS_FOLDER, tmp_path)
    assert built.path.name == f"health-probe-{built.sha256[:16]}.zip"


def test_changed_code_gets_another_name_and_the_old_archive_stays(tmp_path: Path, functions: Path) -> None:
    before = archive_of("health_probe", functions, tmp_path / "build")
    assert changed_by("health_probe/handler.py", functions, tmp_path / "build") == {"health_probe"}
    assert archive_of("health_probe", functions, tmp_path / "build").path != before.path
    assert before.path.is_file()


@pytest.mark.parametrize(
    ("module", "importers"),
    [
        ("function_runtime/clock.py", {"failover", "fence_guard", "snapshot_copier"}),
        ("function_runtime/clients.py", {"failover", "fence_guard", "snapshot_copier", "witness"}),
        ("function_runtime/metrics.py", {"failover", "witness"}),
        ("function_runtime/__init__.py", set(PACKAGES)),
    ],
)
def test_a_comment_in_a_shared_module_changes_the_archives_of_those_that_import_it(
    tmp_path: Path, functions: Path, module: str, importers: set[str]
) -> None:
    assert changed_by(module, functions, tmp_path / "build") == importers


def test_a_module_that_nobody_imports_changes_nothing(tmp_path: Path, functions: Path) -> None:
    before = archive_names(functions, tmp_path / "build")
    (functions / "witness" / "draft.py").write_text("# not used yet\n")
    assert archive_names(functions, tmp_path / "build") == before


def test_a_handler_imports_with_nothing_but_its_archive_and_boto3_and_loads_all_of_its_own_code(
    tmp_path: Path, package: str
) -> None:
    loaded = imported_alone(package, tmp_path)
    archived = own_entries_of(package, tmp_path / "build")
    assert f"{package}/handler.py" in archived & loaded
    modules = {entry for entry in archived if entry.endswith(".py")}
    assert {entry for entry in modules - loaded if not is_imported_late(entry, modules)} == set()


def test_the_authorities_of_rds_are_with_the_probe_alone(tmp_path: Path, package: str) -> None:
    certificates = [entry for entry in entries_of(package, tmp_path) if entry.endswith(".pem")]
    assert certificates == (["health_probe/rds_authorities.pem"] if package == "health_probe" else [])


def test_a_renewed_authority_redeploys_the_probe_alone(tmp_path: Path, functions: Path) -> None:
    assert changed_by("health_probe/rds_authorities.pem", functions, tmp_path / "build") == {"health_probe"}


def test_a_damaged_archive_is_built_anew(tmp_path: Path) -> None:
    built = archive_of("witness", artifact.FUNCTIONS_FOLDER, tmp_path)
    whole = built.path.read_bytes()
    built.path.write_bytes(whole[:100])
    assert archive_of("witness", artifact.FUNCTIONS_FOLDER, tmp_path).path.read_bytes() == whole


def test_nothing_in_an_archive_depends_on_the_machine(tmp_path: Path, package: str) -> None:
    with zipfile.ZipFile(archive_of(package, artifact.FUNCTIONS_FOLDER, tmp_path).path) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    # Stored: what compression yields depends on the machine's zlib.
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {(entry.date_time, entry.external_attr >> 16, entry.create_system) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644, 3)
    }
    installer_files = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
    assert [name for name in names if name.endswith((".pyc", ".so", *installer_files))] == []


def test_the_licences_travel_along(tmp_path: Path, package: str) -> None:
    entries = [name for name in entries_of(package, tmp_path) if ".dist-info/" in name]
    distributions = {name.partition("/")[0] for name in entries}
    licences = [name for name in entries if not name.endswith("/METADATA")]
    assert len(licences) == len(distributions) == len(taken_by(package))


def test_an_archive_is_small(tmp_path: Path, package: str) -> None:
    assert archive_of(package, artifact.FUNCTIONS_FOLDER, tmp_path).size_bytes < FIVE_MEGABYTES


def test_another_version_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(artifact.LOCK_FILE.read_text().replace("jmespath==", "jmespath==0.0."))
    with pytest.raises(SettingsError, match=r"jmespath = .*the lock says 0\.0\..*install the locked requirements"):
        artifact.build("witness.handler.handle", build_folder=tmp_path, lock_file=lock)
    assert list(tmp_path.glob("*.zip")) == []
