"""Who gets into a database with an IAM token: the lab's RDS asks, the lab's IAM decides, the server does the rest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import psycopg
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from shared.layers import REPOSITORY_ROOT
from tests.lab.running_aws import PERSON, Account
from tests.lab.running_rds import PASSWORD, PORT, PRIMARY, RECOVERY, USER, RunningRds, running_rds, wait_until

PREPARE = REPOSITORY_ROOT / "projects" / "data" / "sql" / "prepare_database.sql"
PROBE = "dr_probe"
PAM = f'PAM authentication failed for user "{PROBE}"'

Caller = Mapping[str, str]


@pytest.fixture(scope="module")
def iam_rds(account: Account) -> Iterator[RunningRds]:
    """A prepared writer and its replica, both with IAM authentication, before the account's real IAM."""
    with running_rds(judge=lambda login: account.aws.refusal_of_login(asdict(login))) as rds:
        rds.create("orders", EnableIAMDatabaseAuthentication=True)
        rds.create_replica("orders-replica", "orders", EnableIAMDatabaseAuthentication=True)
        rds.create("without")
        for name in ("orders", "without"):
            prepare(rds, name)
        yield rds


def prepare(rds: RunningRds, name: str) -> None:
    with rds.connect(PRIMARY, name, dbname="postgres") as master:
        master.execute(PREPARE.read_bytes())


def may_connect(rds: RunningRds, *names: str, user: str = PROBE) -> dict[str, Any]:
    regions = {"orders": PRIMARY, "orders-replica": RECOVERY, "without": PRIMARY}
    resources = {name: rds.describe(regions[name], name)["DbiResourceId"] for name in names}
    arns = [f"arn:aws:rds-db:{regions[n]}:000000000000:dbuser:{i}/{user}" for n, i in resources.items()]
    return {"Effect": "Allow", "Action": "rds-db:connect", "Resource": arns}


def caller(account: Account, *statements: dict[str, Any]) -> Caller:
    role = account.role(*statements, principal=PERSON)
    found: Caller = account.client("sts").assume_role(RoleArn=role, RoleSessionName="probe")["Credentials"]
    return found


@pytest.fixture(scope="module")
def admitted(account: Account, iam_rds: RunningRds) -> Caller:
    return caller(account, may_connect(iam_rds, "orders", "orders-replica", "without"))


def token(
    rds: RunningRds,
    who: Caller,
    name: str = "orders",
    region: str = PRIMARY,
    *,
    user: str = PROBE,
    signed_for: str | None = None,
    seconds: int = 900,
) -> str:
    """As boto3's `generate_db_auth_token`, for any region and any time."""
    address = rds.describe(region, name)["Endpoint"]["Address"]
    credentials = Credentials(who["AccessKeyId"], who["SecretAccessKey"], who["SessionToken"])
    request = AWSRequest("GET", f"https://{address}:{PORT}/?Action=connect&DBUser={user}")
    SigV4QueryAuth(credentials, "rds-db", signed_for or region, expires=seconds).add_auth(request)
    return str(request.url).removeprefix("https://")


def enter(
    rds: RunningRds, password: str, name: str = "orders", region: str = PRIMARY, **more: Any
) -> psycopg.Connection:
    address = rds.describe(region, name)["Endpoint"]["Address"]
    trusted = {"sslmode": "verify-full", "sslrootcert": str(rds.fleet.authority.certificate_file)}
    settings = {"user": PROBE, "dbname": "postgres", "connect_timeout": 3, **trusted, **more}
    return psycopg.connect(host=address, port=PORT, password=password, autocommit=True, **settings)


def refusal(rds: RunningRds, password: str, **more: Any) -> str:
    with pytest.raises(psycopg.OperationalError) as refused:
        enter(rds, password, **more)
    return str(refused.value)


def test_a_good_token_opens_a_session_of_the_role_with_its_own_settings(iam_rds: RunningRds, admitted: Caller) -> None:
    with enter(iam_rds, token(iam_rds, admitted)) as session:
        session.execute("INSERT INTO dr.heartbeat VALUES ('primary', now())")
        row = session.execute("SELECT session_user, current_setting('lock_timeout')").fetchone()
        assert row == (PROBE, "250ms")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("CREATE TABLE dr.more (id int)")


def test_role_and_grants_reach_the_replica_whose_stream_the_probe_sees(iam_rds: RunningRds, admitted: Caller) -> None:
    def seen() -> bool:
        on_replica = token(iam_rds, admitted, "orders-replica", RECOVERY)
        with enter(iam_rds, on_replica, "orders-replica", RECOVERY) as session:
            row = session.execute("SELECT status, last_msg_receipt_time FROM pg_stat_wal_receiver").fetchone()
        return row is not None and row[0] == "streaming" and row[1] is not None

    wait_until(seen)


def test_what_is_no_good_token_is_refused_as_rds_does(iam_rds: RunningRds, admitted: Caller) -> None:
    good = token(iam_rds, admitted)
    bad = {
        "a password": PASSWORD,
        "forged": good[:-1] + ("1" if good.endswith("0") else "0"),
        "of another user": token(iam_rds, admitted, user=USER),
        "for another host": token(iam_rds, admitted, "without"),
        "for another region": token(iam_rds, admitted, signed_for=RECOVERY),
        "without its session": token(iam_rds, {**admitted, "SessionToken": "x"}),
        "expired": token(iam_rds, admitted, seconds=1),
    }
    time.sleep(1.1)
    for kind, password in bad.items():
        assert PAM in refusal(iam_rds, password), kind


def test_who_has_no_permission_for_that_user_of_that_very_instance_is_refused(
    account: Account, iam_rds: RunningRds, admitted: Caller
) -> None:
    for statements in ([], [may_connect(iam_rds, "orders-replica")], [may_connect(iam_rds, "orders", user="another")]):
        assert PAM in refusal(iam_rds, token(iam_rds, caller(account, *statements)))
    every = may_connect(iam_rds, "orders")
    assert PAM in refusal(iam_rds, token(iam_rds, caller(account, every, {**every, "Effect": "Deny"})))


def test_a_function_signs_with_the_credentials_of_its_role(account: Account, iam_rds: RunningRds) -> None:
    function = account.function("environment", role=account.role(may_connect(iam_rds, "orders")))
    known = account.call(function, {})
    names = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY", "SessionToken": "SESSION_TOKEN"}
    who = {key: known[f"AWS_{name}"] for key, name in names.items()}
    enter(iam_rds, token(iam_rds, who)).close()


def test_a_token_does_not_travel_without_tls(iam_rds: RunningRds, admitted: Caller) -> None:
    assert "no encryption" in refusal(iam_rds, token(iam_rds, admitted), sslmode="disable")


def test_who_has_no_rds_iam_logs_in_with_a_password_as_before(iam_rds: RunningRds) -> None:
    iam_rds.connect(PRIMARY, "orders").close()
    assert "password authentication failed" in refusal(iam_rds, "wrong", user=USER)


def test_an_instance_without_iam_authentication_takes_no_token_until_it_is_switched_on(
    iam_rds: RunningRds, admitted: Caller
) -> None:
    good = token(iam_rds, admitted, "without")
    assert "password authentication failed" in refusal(iam_rds, good, name="without")
    assert not iam_rds.describe(PRIMARY, "without")["IAMDatabaseAuthenticationEnabled"]
    change = {"DBInstanceIdentifier": "without", "ApplyImmediately": True}
    iam_rds.clients[PRIMARY].modify_db_instance(**change, EnableIAMDatabaseAuthentication=True)
    assert iam_rds.wait(PRIMARY, "without")["IAMDatabaseAuthenticationEnabled"]
    enter(iam_rds, good, "without").close()


def test_a_restored_instance_has_the_role_and_takes_tokens_where_it_is_told_to(iam_rds: RunningRds) -> None:
    client = iam_rds.clients[PRIMARY]
    client.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="now")
    wait_until(
        lambda: client.describe_db_snapshots(DBSnapshotIdentifier="now")["DBSnapshots"][0]["Status"] != "creating"
    )
    for name, told in (("restored", {}), ("restored-too", {"EnableIAMDatabaseAuthentication": True})):
        client.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=name,
            DBSnapshotIdentifier="now",
            DBSubnetGroupName="database",
            VpcSecurityGroupIds=["sg-database"],
            **told,
        )
        assert iam_rds.wait(PRIMARY, name)["IAMDatabaseAuthenticationEnabled"] == bool(told)
        client.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def test_the_roles_connection_limit_counts_real_sessions(iam_rds: RunningRds, admitted: Caller) -> None:
    password = token(iam_rds, admitted)
    sessions = [enter(iam_rds, password) for _ in range(8)]
    assert f'too many connections for role "{PROBE}"' in refusal(iam_rds, password)
    for session in sessions:
        session.close()


def test_preparing_again_changes_nothing(iam_rds: RunningRds, admitted: Caller) -> None:
    prepare(iam_rds, "orders")
    enter(iam_rds, token(iam_rds, admitted)).close()


def test_the_master_user_is_no_superuser_and_does_not_log_in_with_tokens(iam_rds: RunningRds) -> None:
    with iam_rds.connect(PRIMARY, "orders") as master:
        row = master.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert row == (False,)
    assert not iam_rds.fleet.server(PRIMARY, "orders").takes_token(USER)
    assert iam_rds.fleet.server(PRIMARY, "orders").takes_token(PROBE)
