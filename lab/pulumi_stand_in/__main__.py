"""``python -m lab.pulumi_stand_in SOCKET [ARGUMENT ...]``: hand a call to the lab, and print what it answers."""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lab.pulumi_stand_in import FAILED, VERSION
from lab.pulumi_stand_in.call import Call, EndedError, understood


def main(arguments: Sequence[str]) -> int:
    """Carry out one call.

    Returns:
        its exit code, as the CLI's.
    """
    try:
        call = understood(arguments[1:])
        if call.command == "version":
            sys.stdout.write(f"{VERSION}\n")
            return 0
        return _asked(Path(arguments[0]), call)
    except EndedError as ended:
        sys.stderr.write(f"error: {ended}\n")
        return ended.exit_code


def _asked(address: Path, call: Call) -> int:
    # As with the CLI, what is under way is finished: deployment waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(address))
        except OSError as error:
            raise EndedError(FAILED, f"the lab of {address.parent.parent} is not running: start ./dr lab") from error
        stream = connection.makefile("rw", encoding="utf-8")
        stream.write(json.dumps(asdict(call)) + "\n")
        stream.flush()
        for line in stream:
            message = json.loads(line)
            if "exit" in message:
                return int(message["exit"])
            _shown(message, call)
    raise EndedError(FAILED, "the lab has ended in the middle of it")


def _shown(message: dict[str, object], call: Call) -> None:
    if "event" in message and "--event-log" in call.options:
        with Path(call.options["--event-log"]).open("a", encoding="utf-8") as log:
            log.write(json.dumps(message["event"]) + "\n")
    if "answer" in message:
        sys.stdout.write(json.dumps(message["answer"], indent=2) + "\n")
    if "said" in message:
        sys.stdout.write(f"{message['said']}\n")
        sys.stdout.flush()
    if "error" in message:
        sys.stderr.write(f"error: {message['error']}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
