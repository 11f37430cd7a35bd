"""A lab leaves nothing behind, however it ended, and never touches what is not its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.home import LabHome, location
from lab.home.location import HOME_VARIABLE, given_home
from lab.home.processes import birth_of
from shared.errors import SettingsError

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEP, process_group=0)
    yield process
    process.kill()
    process.wait()


def abandon(home: LabHome) -> None:
    """End as a killed lab does: only the kernel cleans up, and it gives locks back."""
    os.close(home._lock)


def test_closing_leaves_nothing(path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    with LabHome.open(path) as home:
        home.register(sleeper.pid, "sleeper")
        (home.directory("data") / "file").write_text("something")
        assert path.stat().st_mode & 0o777 == 0o711, "servers that run as another user can go through"
    assert sleeper.wait(timeout=5) == -signal.SIGKILL
    assert list(path.parent.iterdir()) == []
    home.close()


def test_a_second_lab_in_the_same_home_is_refused(path: Path) -> None:
    with LabHome.open(path), pytest.raises(SettingsError, match=f"LAB_HOME = .*stop the lab .*pid {os.getpid()}"):
        LabHome.open(path)
    LabHome.open(path).close()


def test_the_next_lab_kills_and_removes_what_a_killed_one_left(path: Path) -> None:
    killed = LabHome.open(path)
    head = subprocess.Popen(SLEEP, process_group=0)
    killed.register(head.pid, "head")
    member = subprocess.Popen(SLEEP, process_group=head.pid)
    (path / "data").mkdir()
    head.kill()
    head.wait()  # The head is gone; its group is not.
    abandon(killed)
    with LabHome.open(path) as home:
        assert member.wait(timeout=5) == -signal.SIGKILL
        assert not (path / "data").exists()
        assert home.processes == ()


def test_a_pid_that_went_to_somebody_else_is_left_alone(path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    with LabHome.open(path) as home:
        home.register(sleeper.pid, "sleeper")
        entry = path / "processes" / f"{sleeper.pid}.json"
        birth = birth_of(sleeper.pid)
        assert birth is not None
        entry.write_text(entry.read_text().replace(birth, "another time"))
    assert sleeper.poll() is None


def test_birth_tells_processes_apart(sleeper: subprocess.Popen[bytes]) -> None:
    assert birth_of(sleeper.pid) == birth_of(sleeper.pid) != birth_of(os.getpid())
    sleeper.kill()
    deadline = time.monotonic() + 5
    while birth_of(sleeper.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert birth_of(sleeper.pid) is None, "a zombie is dead"


def test_a_folder_that_is_not_a_labs_is_never_taken(path: Path) -> None:
    path.mkdir()
    (path / "precious").touch()
    with pytest.raises(SettingsError, match=r"LAB_HOME = .*name a new or an empty folder"):
        LabHome.open(path)
    assert (path / "precious").exists()
    assert [each.name for each in path.parent.iterdir()] == ["home"]


@pytest.mark.parametrize("kind", ["file", "link", "orphan"])
def test_what_is_no_folder_is_refused(path: Path, kind: str) -> None:
    if kind == "file":
        path.touch()
    elif kind == "link":
        path.symlink_to(path.parent)
    else:
        path = path / "below"
    with pytest.raises(SettingsError, match="LAB_HOME = "):
        LabHome.open(path)


def test_an_empty_folder_may_be_given(path: Path) -> None:
    path.mkdir(mode=0o700)
    LabHome.open(path).close()
    assert not path.exists()


def test_a_home_is_given_by_its_absolute_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, "/somewhere/else")
    assert given_home() == Path("/somewhere/else")
    for wrong in ("", "relative"):
        monkeypatch.setenv(HOME_VARIABLE, wrong)
        with pytest.raises(SettingsError, match="absolute path"):
            given_home()


@pytest.fixture
def own_temp_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    monkeypatch.setattr(location, "_temp_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.usefixtures("own_temp_folder")
def test_labs_of_one_checkout_and_user_have_a_home_each() -> None:
    with LabHome.open() as first, LabHome.open() as second, LabHome.open() as third:
        names = [home.path.name for home in (first, second, third)]
        assert str(os.getuid()) in names[0]
        assert names[1:] == [f"{names[0]}-2", f"{names[0]}-3"]
        assert [home.is_first for home in (first, second, third)] == [True, False, False]
        second.close()
        with LabHome.open() as again:
            assert again.path == second.path


def test_every_home_of_a_killed_lab_is_cleaned_up(own_temp_folder: Path, sleeper: subprocess.Popen[bytes]) -> None:
    other = own_temp_folder / f"{location.first_home().name}0"
    other.mkdir()
    running, killed = LabHome.open(), LabHome.open()
    killed.register(sleeper.pid, "sleeper")
    abandon(killed)
    running.close()
    with LabHome.open() as home:
        assert home.is_first
        assert sleeper.wait(timeout=5) == -signal.SIGKILL
        assert not killed.path.exists()
        assert other.exists(), "another checkout's"
