"""The lab's children are registered, end when asked, and cannot outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.home import ChildProcesses, LabHome
from lab.home.processes import birth_of

PYTHON = [sys.executable, "-S", "-c"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[LabHome]:
    with LabHome.open(tmp_path / "home") as home:
        yield home


@pytest.fixture
def children(home: LabHome) -> Iterator[ChildProcesses]:
    children = ChildProcesses(home)
    yield children
    children.close()


def start(children: ChildProcesses, program: str, name: str = "child") -> subprocess.Popen[bytes]:
    return children.start(name, [*PYTHON, program], environment={})


def read_when_there(log: Path, text: str) -> None:
    deadline = time.monotonic() + 5
    while text not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < deadline, f"{text!r} did not appear in {log}"
        time.sleep(0.01)


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while birth_of(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    return birth_of(pid) is None


def test_a_child_is_on_the_register_until_it_is_stopped(home: LabHome, children: ChildProcesses) -> None:
    child = start(children, "import time; print('here', flush=True); time.sleep(60)")
    assert [each.pid for each in home.processes] == [child.pid]
    assert os.getpgid(child.pid) == child.pid
    read_when_there(home.path / "logs" / "child.log", "here")
    assert children.stop(child) == -signal.SIGTERM
    assert home.processes == ()


def test_a_child_that_does_not_listen_is_killed_with_all_it_started(home: LabHome, children: ChildProcesses) -> None:
    program = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"]).pid, flush=True)
        print("started", flush=True)
        time.sleep(60)
    """
    child = start(children, textwrap.dedent(program))
    log = home.path / "logs" / "child.log"
    read_when_there(log, "started")
    grandchild = int(log.read_text().split()[0])
    assert children.stop(child, grace_seconds=0.2) == -signal.SIGKILL
    assert ends(grandchild)


def test_a_child_outlives_the_thread_that_asked_for_it(children: ChildProcesses) -> None:
    started: list[subprocess.Popen[bytes]] = []
    asking = threading.Thread(target=lambda: started.append(start(children, "import time; time.sleep(60)")))
    asking.start()
    asking.join()
    time.sleep(0.1)
    assert started[0].poll() is None
    children.stop(started[0])


def test_stopping_what_has_already_gone_gives_its_exit_code(home: LabHome, children: ChildProcesses) -> None:
    child = start(children, "raise SystemExit(3)")
    child.wait()
    assert children.stop(child) == 3
    assert home.processes == ()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_children_die_with_a_killed_lab(tmp_path: Path) -> None:
    program = """
        import sys, time
        from pathlib import Path
        from lab.home import ChildProcesses, LabHome
        children = ChildProcesses(LabHome.open(Path(sys.argv[1])))
        child = children.start("child", ["/bin/sleep", "60"], environment={})
        print(child.pid, flush=True)
        time.sleep(60)
    """
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "home")]
    lab = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE)
    assert lab.stdout is not None
    child = int(lab.stdout.readline())
    lab.kill()
    lab.wait()
    lab.stdout.close()
    assert ends(child)
    with LabHome.open(tmp_path / "home") as home:
        assert home.processes == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_child_can_run_as_another_user_and_still_dies_with_the_lab(home: LabHome, children: ChildProcesses) -> None:
    log = home.directory("logs") / "nobody.log"
    child = children.start("nobody", ["/bin/sh", "-c", "id -un; exec /bin/sleep 60"], user="nobody")
    read_when_there(log, "nobody")
    children.close()  # the thread that started it is gone, as it is when the lab is
    assert child.wait(timeout=5) == -signal.SIGKILL


def test_an_unknown_user_is_an_error_and_leaves_nothing(home: LabHome, children: ChildProcesses) -> None:
    with pytest.raises(KeyError):
        children.start("true", ["/bin/true"], user="no-such-user-here")
    assert home.processes == ()
