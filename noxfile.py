"""The project's commands. All of them share one environment, ``.venv``, which is also the one Pulumi runs programs in.

``./dr SESSION`` is ``nox -s SESSION`` without a nox installed; what follows ``--`` goes to the session's command.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nox

from shared.layers import LAYERS

nox.needs_version = ">=2024.10.9"
# Pulumi looks for its programs' environment at one fixed place, so the sessions do not make one each.
nox.options.default_venv_backend = "none"
nox.options.stop_on_first_error = True
nox.options.error_on_external_run = False

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements.lock"
BOOTSTRAP = ROOT / "bootstrap.lock"
# Cosmic Ray's many requirements are nobody else's.
MUTATION_VENV = ROOT / ".nox" / "mutation"
MUTATION = ROOT / "mutation.lock"
PACKAGES = ("shared", "lab", "drills", "deployment", "operations", "benchmarks", "mutation", "policies")
# The README's. What a person approves, a record that is lost and a door that is shut are tried at every call, and in
# composed histories, by the exhaustive tests. With swapped roles: the integration tests see the lab as it usually is.
DRILLS_OF_CI = ("primary-crash",)
ON_EVERY_CORE = ("-n", "auto")
# The lab's tests wait for servers and alarms for much of their time.
ONE_MORE_THAN_CORES = ("-n", str((os.cpu_count() or 1) + 1))
BAD_INPUT = 2
NOT_SO = 3


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and types; `-- --fix` repairs what ruff can."""
    environment(session)
    python(session, "ruff", "check", *session.posargs, ".")
    python(session, "ruff", "format", *([] if session.posargs else ["--check"]), ".")
    python(session, "mypy", "-n", "auto", "noxfile.py", "conftest.py", *PACKAGES, "tests")
    python(session, "mypy", "--scripts-are-modules", "dr")
    # One run a layer: each has a module named __main__.
    for layer in LAYERS:
        python(session, "mypy", f"projects/{layer.name}")


@nox.session
def unit(session: nox.Session) -> None:
    """Run the unit and contract tests: no lab, no servers."""
    environment(session)
    ignored = [f"--ignore=tests/{folder}" for folder in ("integration", "lab", "pulumi", "situations")]
    if session.posargs:
        python(session, "pytest", *ignored, *session.posargs)
        return
    # Apart: the functions' tests hold every reading in their process against what AWS can give.
    for folder in ("tests", "projects"):
        python(session, "pytest", *ON_EVERY_CORE, "--dist", "loadfile", *ignored, "-m", "not exhaustive", folder)


@nox.session
def exhaustive(session: nox.Session) -> None:
    """Try every fault at every call of the controller, and generated lives of the whole system: about two minutes."""
    environment(session)
    for folders in [session.posargs] if session.posargs else (["projects"], ["tests/lives"]):
        python(session, "pytest", *ON_EVERY_CORE, "-m", "exhaustive", *folders)


@nox.session(default=False)
def integration(session: nox.Session) -> None:
    """Check what is deployed (by default in the lab) against cfn-outputs/flat-outputs.json, and the lab itself."""
    environment(session)
    if session.posargs:
        python(session, "pytest", *session.posargs, patient=True)
        return
    usual = ("-m", "not exhaustive")
    python(session, "pytest", *ONE_MORE_THAN_CORES, "--dist", "loadfile", *usual, "tests/lab", patient=True)
    # Apart: its files share one lab.
    python(session, "pytest", *usual, "tests/integration", patient=True)


@nox.session(default=False)
def engine(session: nox.Session) -> None:
    """Deploy over the lab with the Pulumi CLI, if it is on PATH; run every command in every situation, also without."""
    if shutil.which("pulumi") is None:
        session.warn("pulumi is not on PATH: what needs it is skipped (https://www.pulumi.com/docs/install/)")
    environment(session)
    python(session, "pytest", *(session.posargs or ["tests/pulumi", "tests/situations"]), patient=True)


@nox.session(default=False)
def drill(session: nox.Session) -> None:
    """Rehearse failures in the lab and judge them: `-- --scenario NAME`, `--all`, `--swapped`, `--list`, `--seed N`."""
    environment(session)
    python(session, "drills", *session.posargs, patient=True)


@nox.session(default=False)
def lab(session: nox.Session) -> None:
    """Bring up the lab with all four layers and stay until Ctrl-C."""
    environment(session)
    python(session, "lab", *session.posargs, patient=True)


@nox.session(default=False)
def tests(session: nox.Session) -> None:
    """Run everything CI runs: lint, unit, exhaustive, integration, and drills that between them use every part."""
    for part in ("lint", "unit", "exhaustive", "integration"):
        session.notify(part, posargs=[])
    session.notify("drill", posargs=["--swapped", *(word for name in DRILLS_OF_CI for word in ("--scenario", name))])


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure everything that has a limit, or the parts named: `-- [PART ...]`, such as `simulation --runs 10000`."""
    environment(session)
    python(session, "benchmarks", *session.posargs, patient=True)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Change what decides, one place at a time: its tests must notice. All files or `-- [FILE ...] [--jobs N]`."""
    environment(session)
    _install(session, MUTATION_VENV, MUTATION)
    python(session, "mutation", *session.posargs, patient=True)


@nox.session(default=False)
def deploy(session: nox.Session) -> None:
    """Deploy all layers in order, or those named: `-- [LAYER ...] [--stack NAME] [--yes] [--production] [Pulumi's]`."""
    environment(session)
    python(session, "deployment", "deploy", *session.posargs, patient=True)


@nox.session(default=False)
def preview(session: nox.Session) -> None:
    """Show what deploy would change; arguments as for deploy."""
    environment(session)
    python(session, "deployment", "preview", *session.posargs, patient=True)


@nox.session(default=False)
def destroy(session: nox.Session) -> None:
    """Destroy all layers in reverse order, or those named; arguments as for deploy."""
    environment(session)
    python(session, "deployment", "destroy", *session.posargs, patient=True)


@nox.session(default=False)
def refresh(session: nox.Session) -> None:
    """Take what is really there into the layers' states; arguments as for deploy."""
    environment(session)
    python(session, "deployment", "refresh", *session.posargs, patient=True)


@nox.session(default=False)
def drift(session: nox.Session) -> None:
    """Say where reality differs from the states, and change nothing; exit code 3 where it does."""
    environment(session)
    python(session, "deployment", "drift", *session.posargs, patient=True)


@nox.session(default=False)
def groups(session: nox.Session) -> None:
    """Put open databases into a database group that was replaced: `-- [--stack NAME] [--yes] [--production]`."""
    environment(session)
    python(session, "deployment.groups", *session.posargs, patient=True)


@nox.session(name="environment", default=False)
def new_environment(session: nox.Session) -> None:
    """Make a second environment, which is a copy: `-- NAME [--from dev] [--account DIGITS]`."""
    environment(session)
    python(session, "deployment", "environment", *session.posargs, patient=True)


@nox.session(default=False)
def outputs(session: nox.Session) -> None:
    """Write the layers' stack outputs to cfn-outputs/flat-outputs.json: `-- [LAYER ...] [--stack NAME]`."""
    environment(session)
    python(session, "deployment", "outputs", *session.posargs, patient=True)


@nox.session(default=False)
def adopt(session: nox.Session) -> None:
    """Say what adopting an existing database would mean; changes nothing: `-- --database ID --region R [--stack S]`."""
    environment(session)
    python(session, "deployment.adopt", *session.posargs, patient=True)


@nox.session(default=False)
def status(session: nox.Session) -> None:
    """Show what the controller sees and decides, on AWS or in the lab: `-- --json` for machines."""
    environment(session)
    python(session, "operations", "status", *session.posargs, patient=True)


@nox.session(default=False)
def pause(session: nox.Session) -> None:
    """Let no failover begin, but observe and report: `-- --reason TEXT`."""
    environment(session)
    python(session, "operations", "pause", *session.posargs, patient=True)


@nox.session(default=False)
def resume(session: nox.Session) -> None:
    """Let failovers happen again."""
    environment(session)
    python(session, "operations", "resume", *session.posargs, patient=True)


@nox.session(default=False)
def failover(session: nox.Session) -> None:
    """Show a failover's plan, then order it: `-- --approve INCIDENT --epoch N`, `--planned` or `--forced`."""
    environment(session)
    python(session, "operations", "failover", *session.posargs, patient=True)


@nox.session(default=False)
def reprotect(session: nox.Session) -> None:
    """Make a standby for the present writer, after a failover or a lost replica: `-- --dry-run` shows the plan."""
    environment(session)
    python(session, "operations", "reprotect", *session.posargs, patient=True)


@nox.session(default=False)
def restore(session: nox.Session) -> None:
    """List what can be restored, restore it to a new instance, open that for a look: `-- --help` says how."""
    environment(session)
    python(session, "operations", "restore", *session.posargs, patient=True)


@nox.session(name="prepare-database", default=False)
def prepare_database(session: nox.Session) -> None:
    """Show the SQL that lets the probes log in, and how to run it: `-- --sql` for the SQL alone."""
    environment(session)
    python(session, "operations", "prepare-database", *session.posargs, patient=True)


@nox.session(default=False)
def decisions(session: nox.Session) -> None:
    """Write the tables of docs/ that follow from code: decisions, phases, deploys; `-- --check` only compares."""
    environment(session)
    python(session, "decision_table", *session.posargs)
    python(session, "deployment.verdict_page", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Make all lock files again from pyproject.toml; `-- --upgrade` takes the newest versions."""
    uv = find_uv()
    if uv is None:
        session.error("uv = (not found): run this as ./dr lock")
    compile_lock = [uv, "pip", "compile", "-q", "--universal", "--python-version", "3.11", "--generate-hashes"]
    compile_lock += ["--no-emit-index-url", *session.posargs]
    groups = ["--group", "lab", "--group", "checks", "--group", "build", "pyproject.toml"]
    session.run(*compile_lock, *groups, "-o", REQUIREMENTS.name, env=installer_variables())
    for group, lock_file in (("bootstrap", BOOTSTRAP), ("mutation", MUTATION)):
        session.run(*compile_lock, "--group", group, "-o", lock_file.name, env=installer_variables())


def python(session: nox.Session, module: str, *arguments: str, patient: bool = False) -> None:
    """Run ``python -m module`` in the shared environment.

    Args:
        session: the session that wants it.
        module: what to run.
        arguments: its arguments.
        patient: leave Ctrl-C to the command, however long it takes to clean up; its exit codes 2 and 3 are nox's too.
    """
    path = f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    variables = {"VIRTUAL_ENV": str(VENV), "PATH": path, "PYTHONUNBUFFERED": "1"}
    command = [str(PYTHON), "-m", module, *arguments]
    if not patient:
        session.run(*command, env=variables, external=True)
        return
    session.log(shlex.join(command))
    with subprocess.Popen(command, env={**os.environ, **variables}) as process:
        while process.returncode is None:
            # The terminal sends Ctrl-C to the command as well.
            with contextlib.suppress(KeyboardInterrupt):
                process.wait()
    # nox ends with 1 whatever failed. Two codes are an answer and no failure, and scripts that call us read them.
    if process.returncode in (BAD_INPUT, NOT_SO) and module != "pytest":
        raise SystemExit(process.returncode)
    if process.returncode != 0:
        session.error(f"python -m {module} ended with exit code {process.returncode}")


def environment(session: nox.Session) -> None:
    """Make ``.venv`` what requirements.lock says, with the project itself importable; nothing to do in most calls."""
    _install(session, VENV, REQUIREMENTS, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def _install(session: nox.Session, venv: Path, lock_file: Path, *itself: str) -> None:
    """Make an environment from a lock file and, where asked for, the project; nothing where it is made from them."""
    # The location counts: scripts and the editable install carry it. So does the Python it was made with.
    inputs = [lock_file.read_bytes(), (ROOT / "pyproject.toml").read_bytes()]
    inputs += [text.encode() for text in (str(ROOT), sys.version, sys.base_prefix)]
    wanted = hashlib.sha256(b"\0".join(inputs)).hexdigest()
    interpreter, stamp = venv / "bin" / "python", venv / "installed-from"
    if interpreter.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    session.log(f"installing {lock_file.name} into {venv.relative_to(ROOT)} (about a minute the first time)")
    stamp.unlink(missing_ok=True)
    uv = find_uv()
    if uv is None:
        session.run(sys.executable, "-m", "venv", "--clear", str(venv))
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        session.run(*install, "--require-hashes", "--requirement", str(lock_file))
        if itself:
            session.run(*install, *itself)
    else:
        variables = {**installer_variables(), "VIRTUAL_ENV": str(venv)}
        into = ["--quiet", "--python", str(interpreter)]
        session.run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv), env=variables)
        session.run(uv, "pip", "sync", *into, "--require-hashes", str(lock_file), env=variables)
        if itself:
            session.run(uv, "pip", "install", *into, *itself, env=variables)
    stamp.write_text(wanted)


def find_uv() -> str | None:
    """The uv beside this nox (./dr installs both), or the one on PATH."""
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")


def installer_variables() -> dict[str, str]:
    """Settings that make uv behave as pip does on this machine: its certificates and its package index."""
    variables = {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        if key.endswith(".index-url"):
            variables["UV_DEFAULT_INDEX"] = value.strip("'\"")
    return {name: value for name, value in variables.items() if name not in os.environ}
