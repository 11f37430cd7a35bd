"""``python -m lab`` (``nox -s lab``): bring the lab up and stay until Ctrl-C."""

from __future__ import annotations

import argparse
import shlex
import sys
import threading
import time
from pathlib import Path

from deployment.flat_outputs import FLAT_OUTPUTS_FILE
from lab.command_line import add_settings, run, say
from lab.lab import Lab
from lab.settings import LabSettings
from lab.target import Target
from shared.layers import REPOSITORY_ROOT


def main() -> int:
    """Bring the lab up and stay.

    Returns:
        0 where it was taken down by Ctrl-C; otherwise as `lab.command_line.run`.
    """
    parser = argparse.ArgumentParser(prog="nox -s lab --", description="The lab: break the database on a laptop.")
    add_settings(parser)
    parser.add_argument("--empty", action="store_true", help="apply no program: deploy with the Pulumi CLI, stack lab")
    parser.add_argument(
        "--dns-port", type=int, default=0, metavar="PORT", help="resolve names on this port of 127.0.0.1, UDP and TCP"
    )
    arguments = parser.parse_args()
    return run(lambda: _up(arguments))


def _up(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    settings = LabSettings.from_environment(assignments=tuple(arguments.config), dns_port=arguments.dns_port)
    with Lab(settings, say, empty=arguments.empty) as lab:
        say(f"the lab is up after {time.monotonic() - started:.1f} s")
        say("\n".join(access(lab) if arguments.empty else [*access(lab), *directions(lab)]))
        say("\nCtrl-C takes everything down again.")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("\ntaking the lab down")
    say("nothing is left")
    return 0


def access(lab: Lab) -> list[str]:
    """How to use the lab's AWS from another terminal."""
    lines = ["", "In another terminal, for the AWS CLI, any SDK and Pulumi:", ""]
    lines += [f"  export {name}={value}" for name, value in lab.aws.environment().items()]
    path = shlex.quote(str(lab.pulumi.folder)) + ':"$PATH"'
    if lab.outputs:
        # What stands was made by the lab's own engine: no other Pulumi has its state.
        return [*lines, f"  export PATH={path}"]
    return [
        *lines,
        "",
        "Without a Pulumi CLI, the lab's stand-in for it deploys, too:",
        f"  PATH={path} ./dr deploy -- --stack lab",
    ]


def directions(lab: Lab) -> list[str]:
    """How to find what is deployed, and to connect to the databases."""
    file = shown(lab.outputs_file)
    lines = ["", f"What is deployed is in {file}."]
    if lab.outputs_file != FLAT_OUTPUTS_FILE:
        lines.append(f"This is not the checkout's first lab: give operators' commands --outputs {file}.")
    return [*lines, *connections(lab.target, lab.authority_file, lab.dns_server)]


def connections(target: Target, authority_file: Path, dns_server: tuple[str, int]) -> list[str]:
    """How clients connect: to the writer wherever it is, and to each database."""
    host, port = dns_server
    login = {"PGUSER": target.credentials.user, "PGPASSWORD": target.credentials.password}
    given = " ".join(f"{name}={value}" for name, value in {**login, "PGSSLROOTCERT": str(authority_file)}.items())
    lines = ["", "The writer, wherever it is:", "", f"  {given} psql '{target.writer_libpq_uri}'", ""]
    lines += ["Each database, with the same variables:", ""]
    for site, database in target.databases.items():
        lines.append(
            f"  {site}: psql 'host={database.address} port={target.database_port} dbname={target.database_name} "
            "sslmode=verify-full'"
        )
    return [
        *lines,
        "",
        "For other drivers:",
        "",
        f"  user and password  {target.credentials.user} {target.credentials.password}",
        f"  authority          {authority_file}",
        f"  writerUri          {target.writer_uri}",
        f"  writerJdbcUrl      {target.writer_jdbc_url}&sslrootcert={authority_file}",
        f"  writerName         {target.writer_name}, port {target.database_port}",
        f"  readerName         {target.reader_name}",
        f"  resolver           {host}, port {port}, UDP and TCP: for these names only",
        "",
        "The writer's name, as Route 53 answers it now:",
        f"  dig @{host} -p {port} {target.writer_name} +short",
    ]


def shown(file: Path) -> Path:
    """A file's path, from the checkout's root where it is in it."""
    return file.relative_to(REPOSITORY_ROOT) if file.is_relative_to(REPOSITORY_ROOT) else file


if __name__ == "__main__":
    sys.exit(main())
