"""``nox -s prepare-database``: what makes a database ready for probes that log in, and how to run that."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from deployment import flat_outputs
from operations.console import Console
from operations.deployment import Deployment
from operations.exit_codes import DONE
from operations.requests import PrepareRequest
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT, layer

SQL_FILE = layer("data").folder / "sql" / "prepare_database.sql"
AUTHORITIES_FILE = layer("dr-automation").folder / "functions" / "health_probe" / "rds_authorities.pem"
URI_KEY, USER_KEY = "writerUri", "masterUsername"
WHERE_IT_IS_NOT_KNOWN = "postgresql://MASTER_USER@WRITER:5432/postgres?sslmode=verify-full"


def prepare(request: PrepareRequest, console: Console) -> int:
    """Print the SQL, with what it is and how to run it unless only the SQL is wanted.

    Returns:
        0.

    Raises:
        SettingsError: the outputs are of another stack, or lack where the databases are.
    """
    sql = SQL_FILE.read_text(encoding="utf-8").rstrip("\n").split("\n")
    if request.only_sql:
        console.say(sql)
        return DONE
    # Without a deployment there is no address yet, and the SQL can be read all the same.
    known = request.stack is not None or request.outputs.exists()
    if known:
        console.say([str(Deployment.read(request.outputs, request.stack))])
    uri = _uri(flat_outputs.read(request.outputs)) if known else WHERE_IT_IS_NOT_KNOWN
    console.say(
        [
            "The probes log in to both databases: on the writer they commit a heartbeat, on the replica they read how",
            "far it is. In a database that is not prepared for it they only see whether something answers, and a",
            "failover is decided on weaker evidence. nox -s status says whether they get in.",
            "",
            "Who runs it:  whoever owns the database, as the master user, from the clients' or the operators' network",
            "Where:        on the writer, in database postgres; the replica gets it by replication",
            "When:         once, after the first deploy, and again when it has changed; a second run changes nothing.",
            "              A promoted replica has it already, and so does what is restored from a later backup",
            "What:         role dr_probe (login by IAM token only, no rights but these), schema dr, table dr.heartbeat",
            "",
            f"  {_psql(uri)}",
            "",
            "It asks for the master user's password; of the two databases it takes the one that takes writes.",
            "The same without a file: nox -s prepare-database -- --sql",
            "",
            *sql,
        ]
    )
    return DONE


def _uri(outputs: dict[str, object]) -> str:
    """Where the writer is, with the master user and database postgres.

    Raises:
        SettingsError: an output is missing.
    """
    for key in (URI_KEY, USER_KEY):
        if not outputs.get(key):
            owner = outputs[flat_outputs.STACK_KEY]
            raise SettingsError(
                key, "(not in the outputs)", f"deploy all layers, then run ./dr outputs -- --stack {owner}"
            )
    parts = urlsplit(str(outputs[URI_KEY]))
    return urlunsplit(parts._replace(netloc=f"{outputs[USER_KEY]}@{parts.netloc}", path="/postgres"))


def _psql(uri: str) -> str:
    file = SQL_FILE.relative_to(REPOSITORY_ROOT)
    command = f"psql '{uri}' --set ON_ERROR_STOP=1 --file {file}"
    if "sslmode=require" in uri:
        return command
    return f"PGSSLROOTCERT={AUTHORITIES_FILE.relative_to(REPOSITORY_ROOT)} {command}"
