"""The lab's AWS account: a child process that runs MiniStack, and clients for it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from lab.aws.calls import described_call
from lab.aws.cloudwatch_alarms import MetricIdentity
from lab.home import ChildProcesses, LabHome
from shared.errors import SettingsError

PORT_VARIABLE = "LAB_PORT"
DEFAULT_PORT = 4566
ACCOUNT_ID = "000000000000"

# MiniStack takes this key, and any 12-digit one, for the account's root user and does not check its signature.
ROOT_CREDENTIALS: Mapping[str, str] = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

_HOST = "127.0.0.1"
_START_PATIENCE_SECONDS = 30.0
_COMMAND_TIMEOUT_SECONDS = 10.0


class AwsDidNotStartError(RuntimeError):
    """The process exited, or did not answer in time. The message has the end of its log."""


class LabAws:
    """The account 000000000000, all regions behind one gateway on a loopback port."""

    def __init__(self, home: LabHome, port: int | None = None) -> None:
        """Nothing is started yet.

        Args:
            home: where it keeps its files.
            port: the gateway's port; 0 for any free one, None for 4566 or, where that is in use, any free one.
        """
        self._home = home
        self._asked_port = port
        self._port = 0
        self._processes = ChildProcesses(home)
        self._process: subprocess.Popen[bytes] | None = None
        self._secret = ""
        self._clients: dict[tuple[str, str], Any] = {}
        self._clients_lock = threading.Lock()

    def start(self, rds_backend_url: str | None, secret: str, database_authority: Path | None = None) -> None:
        """Start the account and wait until it answers.

        Args:
            rds_backend_url: where RDS calls go once they are authorized; None for an account whose RDS is unavailable.
            secret: the header ``X-Lab-Secret``, by which the backend knows the account, and the account the lab.
            database_authority: the certificate of who signs the databases' certificates; None where there are none.

        Raises:
            SettingsError: the port is in use.
            AwsDidNotStartError: anything else went wrong.
        """
        self._secret = secret
        # Bound here and handed on, so that no other lab can take the port meanwhile.
        with _listening(self._asked_port) as listening:
            self._port = listening.getsockname()[1]
            started = self._processes.start(
                "aws",
                [sys.executable, "-m", "lab.aws.ministack"],
                environment=self._host_environment(rds_backend_url, secret, listening.fileno(), database_authority),
                directory=Path(__file__).resolve().parents[2],
                open_files=[listening.fileno()],
            )
        self._process = started
        deadline = time.monotonic() + _START_PATIENCE_SECONDS
        while not _answers(self._port):
            if started.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AwsDidNotStartError(f"the lab's AWS did not start; its log ends with: {self._log_end()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the account with all its functions. Safe to call when it is not running."""
        process, self._process = self._process, None
        if process is not None:
            # Killed: it has nothing to save, and its own shutdown waits for keep-alive connections.
            self._processes.stop(process, with_signal=signal.SIGKILL)

    def close(self) -> None:
        """Stop, and free what `start` needs."""
        self.stop()
        self._processes.close()

    @property
    def endpoint_url(self) -> str:
        """The gateway's URL, the one endpoint of every service and region."""
        return f"http://{_HOST}:{self._port}"

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def client(self, service: str, region: str) -> Any:
        """A boto3 client with all rights of the account's root user. One for each service and region, thread-safe.

        Its type is that of the service's stub package (``mypy_boto3_<service>``); callers name it.
        """
        with self._clients_lock:
            if (service, region) not in self._clients:
                session = boto3.session.Session(
                    aws_access_key_id=ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
                    aws_secret_access_key=ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
                    region_name=region,
                )
                self._clients[service, region] = session.client(
                    service,
                    endpoint_url=self.endpoint_url,
                    config=Config(
                        connect_timeout=2,
                        read_timeout=60,
                        max_pool_connections=16,
                        retries={"total_max_attempts": 2, "mode": "standard"},
                        s3={"addressing_style": "path"},
                    ),
                )
            return self._clients[service, region]

    def darken(self, region: str, *, seen_from: str | None = None) -> None:
        """Make a region fail: calls of roles to it are not answered, its functions are killed and do not run.

        Calls of the root user, such as those of `client`, are answered as before; an Invoke of a function there fails.

        Args:
            region: the region.
            seen_from: the region whose functions get no answer, while those of ``region`` go on; None for everybody.
        """
        self._command("darken", {"region": region, "seen_from": seen_from})

    def lighten(self, region: str) -> None:
        """Undo every `darken` of a region. A call that was not answered stays unanswered."""
        self._command("lighten", {"region": region})

    def refuse_calls(self, region: str, service: str, operation: str | None, code: str) -> None:
        """Answer calls of roles with an error; those of the root user, such as of `client`, are answered as before.

        Args:
            region: the region that the calls are signed for.
            service: the service in boto3's words.
            operation: its operation in the API's words, such as ``PutItem``; None for every one.
            code: the error's code. One that begins with ``Internal`` or ``ServiceUnavailable`` is a server's error.

        Raises:
            SettingsError: the service has no such operation.
        """
        call = described_call(self.client(service, region), operation)
        self._command("refuse-calls", {"region": region, **call, "code": code})

    def slow_calls(self, region: str, service: str, operation: str | None, seconds: float) -> None:
        """Let calls of roles wait so long before they take effect and are answered; see `refuse_calls`.

        A call whose caller has given up meanwhile takes effect all the same.

        Raises:
            SettingsError: the service has no such operation.
        """
        call = described_call(self.client(service, region), operation)
        self._command("slow-calls", {"region": region, **call, "seconds": seconds})

    def answer_calls(self, region: str) -> None:
        """Undo every `refuse_calls` and `slow_calls` of a region. A call that waits already still waits."""
        self._command("answer-calls", {"region": region})

    def calls_met(self, region: str) -> int:
        """How many calls have met a `refuse_calls` or `slow_calls` of a region, also those that wait still."""
        found = self._command("calls-met", {"region": region})
        return int(str(found))

    def kill_function(self, region: str, name: str) -> bool:
        """Kill every process of a function (SIGKILL). The next event starts a new one.

        Returns:
            Whether one of them was running the function, rather than waiting for an event.
        """
        return bool(self._command("kill-function", {"region": region, "name": name}))

    def refusal_of_login(self, login: Mapping[str, str | int]) -> str | None:
        """Why an IAM token does not log a user in to a database; None where it does.

        Args:
            login: ``token``, ``user``, and the database's ``host``, ``port``, ``region`` and ``resource_id``.

        Raises:
            OSError: the account does not answer.
        """
        refusal = self._command("refusal-of-login", {**login, "account_id": ACCOUNT_ID})
        return None if refusal is None else str(refusal)

    def high_resolution_metrics(self) -> frozenset[MetricIdentity]:
        """The metrics that are kept to the second, which Route 53 does not read."""
        found: Any = self._command("high-resolution-metrics", {})
        return frozenset(
            (region, namespace, name, tuple((key, value) for key, value in dimensions))
            for region, namespace, name, dimensions in found
        )

    def environment(self) -> dict[str, str]:
        """The variables with which the AWS CLI, any SDK and the real Pulumi provider use this account as root."""
        return {
            **ROOT_CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ENDPOINT_URL_RDS": self.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _host_environment(
        self, rds_backend_url: str | None, secret: str, listening: int, database_authority: Path | None
    ) -> dict[str, str]:
        """The process's whole environment. The functions inherit it, except ``LAB_...``, which the process removes."""
        temporary = self._home.directory("aws-temporary", mode=0o700)
        nowhere = str(temporary / "none")
        return {
            **{name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ},
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(temporary),
            "HOME": str(temporary),
            "LAB_SOCKET": str(listening),
            "LAB_RDS_SECRET": secret,
            **({} if rds_backend_url is None else {"LAB_RDS_BACKEND": rds_backend_url}),
            **({} if database_authority is None else {"LAB_DATABASE_AUTHORITY": str(database_authority)}),
            # Neither a profile of this user's nor the role of an EC2 instance may reach the functions.
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AUTH": "true",
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_HOST": "localhost",
            "GATEWAY_PORT": str(self._port),
            "STATE_DIR": str(temporary / "state"),
            "S3_DATA_DIR": str(temporary / "s3"),
            "LAMBDA_EXECUTOR": "local",
            "LOG_LEVEL": "INFO",
            # Neither listener is used, and each would take a port. Docker is not used either.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "DOCKER_HOST": f"unix://{nowhere}",
        }

    def _command(self, name: str, arguments: Mapping[str, str | float | None]) -> object:
        """Send a command of the lab's own to the process; see `lab.aws.host.gate`."""
        connection = http.client.HTTPConnection(_HOST, self._port, timeout=_COMMAND_TIMEOUT_SECONDS)
        try:
            connection.request("POST", f"/_lab/{name}", json.dumps(arguments), {"X-Lab-Secret": self._secret})
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise RuntimeError(f"the lab's AWS refused the command {name}: {answer}")
        return answer["result"]

    def _log_end(self) -> str:
        log = self._home.path / "logs" / "aws.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return " | ".join(lines[-5:])


def port_from_environment() -> int | None:
    """``LAB_PORT``; None where it is not set.

    Raises:
        SettingsError: it is no port.
    """
    text = os.environ.get(PORT_VARIABLE)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise SettingsError(PORT_VARIABLE, text, "give a port number from 0 to 65535; 0 takes any free one")
    return int(text)


def _listening(port: int | None) -> socket.socket:
    try:
        return socket.create_server((_HOST, DEFAULT_PORT if port is None else port))
    except PermissionError as error:
        raise SettingsError(PORT_VARIABLE, port, "give a port above 1023, or 0 for any free one") from error
    except OSError as error:
        if port is None:
            return socket.create_server((_HOST, 0))
        remedy = "the port is in use: stop what listens there, or set it to another port (0 takes any free one)"
        raise SettingsError(PORT_VARIABLE, port, remedy) from error


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
