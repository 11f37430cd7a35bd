"""An instance's life in the lab's RDS: what the API says, and what its real server does meanwhile."""

from __future__ import annotations

import ipaddress
import socket
import time

import psycopg
import pytest
from botocore.exceptions import ClientError

from shared.errors import SettingsError
from tests.lab.fake_account import key_arn
from tests.lab.running_rds import PORT, PRIMARY, RECOVERY, WITNESS, RunningRds, wait_until

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


def test_a_new_instance_answers_like_one_of_aws(rds: RunningRds) -> None:
    instance = rds.describe(PRIMARY, "orders")
    endpoint = instance["Endpoint"]
    assert ipaddress.ip_address(endpoint["Address"]) in ipaddress.ip_network("127.10.1.0/24")
    assert (endpoint["Port"], endpoint["HostedZoneId"]) == (PORT, "Z32T0VRHXEXS0V")
    assert instance["DBInstanceArn"] == f"arn:aws:rds:{PRIMARY}:000000000000:db:orders"
    assert instance["EngineVersion"].startswith("14.")
    assert instance["KmsKeyId"] == key_arn(PRIMARY)
    assert instance["StorageEncrypted"]
    assert not instance["MultiAZ"]
    assert instance["VpcSecurityGroups"] == [{"VpcSecurityGroupId": "sg-database", "Status": "active"}]
    assert instance["DBParameterGroups"] == [{"DBParameterGroupName": "database", "ParameterApplyStatus": "in-sync"}]
    assert instance["PendingModifiedValues"] == {}
    assert instance["ReadReplicaDBInstanceIdentifiers"] == [rds.describe(RECOVERY, "orders-replica")["DBInstanceArn"]]
    assert "MasterUserPassword" not in instance


def test_a_region_with_no_site_answers_and_has_no_instance(rds: RunningRds) -> None:
    assert rds.client(WITNESS).describe_db_instances()["DBInstances"] == []


def test_the_instance_is_found_by_its_resource_id_as_terraform_asks_for_it(rds: RunningRds) -> None:
    resource_id = rds.describe(PRIMARY, "orders")["DbiResourceId"]
    found = rds.clients[PRIMARY].describe_db_instances(Filters=[{"Name": "dbi-resource-id", "Values": [resource_id]}])
    assert [instance["DBInstanceIdentifier"] for instance in found["DBInstances"]] == ["orders"]
    assert resource_id != rds.describe(RECOVERY, "orders-replica")["DbiResourceId"]


def test_the_replica_names_its_source_and_shows_what_is_written_there(rds: RunningRds) -> None:
    replica = rds.describe(RECOVERY, "orders-replica")
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == rds.describe(PRIMARY, "orders")["DBInstanceArn"]
    assert replica["BackupRetentionPeriod"] == 0
    assert replica["StatusInfos"][0]["Status"] == "replicating"
    with rds.connect(PRIMARY, "orders") as writer, rds.connect(RECOVERY, "orders-replica") as reader:
        writer.execute("CREATE TABLE shown AS SELECT 42 AS answer")
        wait_until(lambda: reader.execute("SELECT to_regclass('shown')").fetchone() != (None,))
        assert reader.execute("SELECT answer FROM shown").fetchone() == (42,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("INSERT INTO shown VALUES (1)")


def test_encryption_in_transit_is_enforced_and_the_certificate_names_the_endpoint(rds: RunningRds) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba.conf entry for host .* no encryption"):
        rds.connect(PRIMARY, "orders", sslmode="disable")
    trusted = str(rds.fleet.authority.certificate_file)
    with rds.connect(PRIMARY, "orders", sslmode="verify-full", sslrootcert=trusted) as connection:
        assert connection.pgconn.ssl_in_use


def test_the_server_sees_its_clients_own_address(rds: RunningRds) -> None:
    with rds.connect(PRIMARY, "orders") as connection:
        assert connection.execute("SELECT host(inet_client_addr())").fetchone() == ("127.0.0.1",)


def test_fencing_takes_a_security_group_and_a_reboot(rds: RunningRds) -> None:
    rds.create("fenced", BackupRetentionPeriod=0)
    with rds.connect(PRIMARY, "fenced") as established:
        rds.clients[PRIMARY].modify_db_instance(DBInstanceIdentifier="fenced", VpcSecurityGroupIds=["sg-quarantine"])
        rds.wait(PRIMARY, "fenced")
        with pytest.raises(psycopg.OperationalError, match="timeout expired"):
            rds.connect(PRIMARY, "fenced", connect_timeout=2)
        assert established.execute("SELECT 1").fetchone() == (1,), "a tracked connection survives"

        rds.clients[PRIMARY].reboot_db_instance(DBInstanceIdentifier="fenced")

        assert rds.describe(PRIMARY, "fenced")["DBInstanceStatus"] == "rebooting"
        rds.wait(PRIMARY, "fenced")
        with pytest.raises(psycopg.OperationalError):
            established.execute("SELECT 1")


def test_a_frozen_server_is_rebooted_like_any_other(rds: RunningRds) -> None:
    rds.create("frozen", BackupRetentionPeriod=0)
    rds.fleet.server(PRIMARY, "frozen").freeze()
    assert rds.describe(PRIMARY, "frozen")["DBInstanceStatus"] == "available", "RDS has not noticed"
    endpoint = rds.describe(PRIMARY, "frozen")["Endpoint"]
    with socket.create_connection((endpoint["Address"], endpoint["Port"]), timeout=1) as connection:
        connection.sendall(SSL_REQUEST)
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    rds.clients[PRIMARY].reboot_db_instance(DBInstanceIdentifier="frozen")
    rds.wait(PRIMARY, "frozen")
    rds.connect(PRIMARY, "frozen").close()


def test_a_dynamic_parameter_takes_effect_at_once_and_a_static_one_waits_for_the_reboot(rds: RunningRds) -> None:
    client = rds.clients[PRIMARY]
    client.create_db_parameter_group(
        DBParameterGroupName="tuned", DBParameterGroupFamily="postgres14", Description="changes"
    )
    rds.create("tuned", DBParameterGroupName="tuned", BackupRetentionPeriod=0)
    client.modify_db_parameter_group(
        DBParameterGroupName="tuned",
        Parameters=[
            {"ParameterName": "log_min_duration_statement", "ParameterValue": "250", "ApplyMethod": "immediate"},
            {"ParameterName": "max_connections", "ParameterValue": "50", "ApplyMethod": "pending-reboot"},
        ],
    )
    wait_until(lambda: setting(rds, "tuned", "log_min_duration_statement") == "250ms")
    assert setting(rds, "tuned", "max_connections") == "400"
    assert rds.describe(PRIMARY, "tuned")["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"

    client.reboot_db_instance(DBInstanceIdentifier="tuned")

    rds.wait(PRIMARY, "tuned")
    assert setting(rds, "tuned", "max_connections") == "50"
    described = client.describe_db_parameters(DBParameterGroupName="tuned", Source="user")["Parameters"]
    assert {parameter["ParameterName"]: parameter["ParameterValue"] for parameter in described} == {
        "log_min_duration_statement": "250",
        "max_connections": "50",
    }
    client.reset_db_parameter_group(DBParameterGroupName="tuned", ResetAllParameters=True)
    assert client.describe_db_parameters(DBParameterGroupName="tuned")["Parameters"] == []


def test_what_needs_the_maintenance_window_is_pending_unless_applied_immediately(rds: RunningRds) -> None:
    rds.clients[PRIMARY].modify_db_instance(DBInstanceIdentifier="orders", DBInstanceClass="db.t3.large")
    instance = rds.wait(PRIMARY, "orders")
    assert instance["DBInstanceClass"] == "db.t3.medium"
    assert instance["PendingModifiedValues"] == {"DBInstanceClass": "db.t3.large"}
    rds.clients[PRIMARY].modify_db_instance(
        DBInstanceIdentifier="orders", DBInstanceClass="db.t3.large", ApplyImmediately=True
    )
    instance = rds.wait(PRIMARY, "orders")
    assert instance["DBInstanceClass"] == "db.t3.large"
    assert instance["PendingModifiedValues"] == {}


def test_groups_change_at_once_and_only_apply_immediately_applies_what_else_is_pending(rds: RunningRds) -> None:
    client = rds.clients[PRIMARY]
    rds.create("pending", BackupRetentionPeriod=0)
    client.modify_db_instance(DBInstanceIdentifier="pending", DBInstanceClass="db.t3.large")
    rds.wait(PRIMARY, "pending")

    client.modify_db_instance(DBInstanceIdentifier="pending", VpcSecurityGroupIds=["sg-quarantine"])

    instance = rds.wait(PRIMARY, "pending")
    assert [each["VpcSecurityGroupId"] for each in instance["VpcSecurityGroups"]] == ["sg-quarantine"]
    assert instance["DBInstanceClass"] == "db.t3.medium"
    assert instance["PendingModifiedValues"] == {"DBInstanceClass": "db.t3.large"}

    client.modify_db_instance(
        DBInstanceIdentifier="pending", VpcSecurityGroupIds=["sg-quarantine"], ApplyImmediately=True
    )

    instance = rds.wait(PRIMARY, "pending")
    assert instance["DBInstanceClass"] == "db.t3.large"
    assert instance["PendingModifiedValues"] == {}


def test_promotion_is_asynchronous_and_done_only_when_the_source_is_gone_from_the_answer(rds: RunningRds) -> None:
    rds.create_replica("heir", "orders")
    promoting = rds.clients[RECOVERY].promote_read_replica(DBInstanceIdentifier="heir", BackupRetentionPeriod=7)
    assert promoting["DBInstance"]["DBInstanceStatus"] == "modifying"
    assert "ReadReplicaSourceDBInstanceIdentifier" in promoting["DBInstance"]
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        rds.clients[RECOVERY].promote_read_replica(DBInstanceIdentifier="heir")

    promoted = rds.wait(RECOVERY, "heir")

    assert "ReadReplicaSourceDBInstanceIdentifier" not in promoted
    assert promoted["BackupRetentionPeriod"] == 7
    assert promoted["DBInstanceArn"] not in rds.describe(PRIMARY, "orders")["ReadReplicaDBInstanceIdentifiers"]
    with rds.connect(RECOVERY, "heir") as writer:
        writer.execute("CREATE TABLE written_after_promotion ()")
    with pytest.raises(ClientError, match="is not a read replica"):
        rds.clients[RECOVERY].promote_read_replica(DBInstanceIdentifier="heir")


def test_a_promotion_that_is_dropped_is_accepted_and_leaves_an_available_replica_that_can_be_promoted(
    rds: RunningRds,
) -> None:
    rds.create_replica("dropped", "orders")
    rds.backend.drop_promotions(1)
    accepted = rds.clients[RECOVERY].promote_read_replica(DBInstanceIdentifier="dropped")
    assert accepted["DBInstance"]["DBInstanceStatus"] == "modifying"
    assert "ReadReplicaSourceDBInstanceIdentifier" in rds.wait(RECOVERY, "dropped")
    rds.clients[RECOVERY].promote_read_replica(DBInstanceIdentifier="dropped")
    assert "ReadReplicaSourceDBInstanceIdentifier" not in rds.wait(RECOVERY, "dropped")


def test_a_crash_is_noticed_and_a_failed_instance_takes_no_orders(rds: RunningRds) -> None:
    client = rds.clients[PRIMARY]
    rds.create("doomed")
    rds.create_replica("survivor", "doomed")
    rds.fleet.server(PRIMARY, "doomed").kill()
    rds.wait(PRIMARY, "doomed", status="failed")
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        client.reboot_db_instance(DBInstanceIdentifier="doomed")
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        client.modify_db_instance(DBInstanceIdentifier="doomed", VpcSecurityGroupIds=["sg-quarantine"])
    events = client.describe_events(SourceIdentifier="doomed", SourceType="db-instance")["Events"]
    assert events[-1]["EventCategories"] == ["failure"]

    assert rds.describe(RECOVERY, "survivor")["DBInstanceStatus"] == "available"
    rds.clients[RECOVERY].promote_read_replica(DBInstanceIdentifier="survivor")
    assert rds.wait(RECOVERY, "survivor")["BackupRetentionPeriod"] == 1, "AWS's default, not the source's"
    with rds.connect(RECOVERY, "survivor") as writer:
        writer.execute("CREATE TABLE goes_on ()")


def test_an_instance_whose_server_comes_back_is_available_again(rds: RunningRds) -> None:
    rds.create("returning", BackupRetentionPeriod=0)
    server = rds.fleet.server(PRIMARY, "returning")
    with rds.connect(PRIMARY, "returning") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    server.kill()
    rds.wait(PRIMARY, "returning", status="failed")

    server.start()

    wait_until(lambda: rds.describe(PRIMARY, "returning")["DBInstanceStatus"] == "available")
    with rds.connect(PRIMARY, "returning") as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    rds.clients[PRIMARY].reboot_db_instance(DBInstanceIdentifier="returning")
    rds.wait(PRIMARY, "returning")
    server.kill()
    rds.wait(PRIMARY, "returning", status="failed")


def test_a_frozen_server_is_fenced_like_any_other(rds: RunningRds) -> None:
    rds.create("stiff", BackupRetentionPeriod=0)
    server = rds.fleet.server(PRIMARY, "stiff")
    server.freeze()
    rds.clients[PRIMARY].modify_db_instance(DBInstanceIdentifier="stiff", VpcSecurityGroupIds=["sg-quarantine"])
    assert rds.wait(PRIMARY, "stiff")["VpcSecurityGroups"][0]["VpcSecurityGroupId"] == "sg-quarantine"
    rds.clients[PRIMARY].reboot_db_instance(DBInstanceIdentifier="stiff")
    rds.wait(PRIMARY, "stiff")
    with server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,), "it is up again, and thawed"
    with pytest.raises(psycopg.OperationalError, match="timeout expired"):
        rds.connect(PRIMARY, "stiff", connect_timeout=2)


def test_a_slow_reboot_is_seen_for_as_long_as_it_was_asked_for(rds: RunningRds) -> None:
    rds.create("slow", BackupRetentionPeriod=0)
    rds.backend.slow_reboots(1.0)
    try:
        started = time.monotonic()
        rds.clients[PRIMARY].reboot_db_instance(DBInstanceIdentifier="slow")
        wait_until(lambda: not rds.fleet.server(PRIMARY, "slow").is_running())
        with pytest.raises(psycopg.OperationalError):
            rds.connect(PRIMARY, "slow")
        assert rds.describe(PRIMARY, "slow")["DBInstanceStatus"] == "rebooting"
        rds.wait(PRIMARY, "slow")
        assert time.monotonic() - started >= 1.0
    finally:
        rds.backend.slow_reboots(0)
    rds.connect(PRIMARY, "slow").close()


def test_a_deleted_source_ends_its_replica_in_the_other_region_without_promoting_it(rds: RunningRds) -> None:
    endpoint = rds.create("parent")["Endpoint"]
    rds.create_replica("orphan", "parent")
    server = rds.fleet.server(PRIMARY, "parent")
    remove(rds, PRIMARY, "parent")
    assert not server.is_running()
    assert not server.home.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((endpoint["Address"], endpoint["Port"]), timeout=1)
    orphan = rds.describe(RECOVERY, "orphan")
    assert orphan["DBInstanceStatus"] == "available"
    assert "ReadReplicaSourceDBInstanceIdentifier" in orphan
    assert orphan["StatusInfos"][0]["Status"] == "terminated"


def test_a_replication_that_rds_has_ended_stays_so_and_the_replica_is_promoted_with_what_it_had(
    rds: RunningRds,
) -> None:
    rds.create("streaming")
    rds.create_replica("ended", "streaming")
    source, replica = rds.fleet.server(PRIMARY, "streaming"), rds.fleet.server(RECOVERY, "ended")
    with rds.connect(PRIMARY, "streaming") as writer:
        writer.execute("CREATE TABLE before_the_end ()")
        wait_until(lambda: has_table(rds, "before_the_end"))

        rds.backend.end_replication(RECOVERY, "ended")

        writer.execute("CREATE TABLE after_the_end ()")
    ended = rds.describe(RECOVERY, "ended")
    assert ended["DBInstanceStatus"] == "available"
    assert ended["ReadReplicaSourceDBInstanceIdentifier"] == rds.describe(PRIMARY, "streaming")["DBInstanceArn"]
    (info,) = ended["StatusInfos"]
    assert (info["StatusType"], info["Status"], info["Normal"]) == ("read replication", "terminated", False)
    events = rds.clients[RECOVERY].describe_events(SourceIdentifier="ended", SourceType="db-instance")["Events"]
    assert events[-1]["Message"] == "Replication on the read replica was terminated."
    with source.connect() as connection:
        assert connection.execute("SELECT 1 FROM pg_replication_slots").fetchone() is None, "it keeps no WAL for it"
    rds.network.darken(PRIMARY, seen_from=RECOVERY)
    rds.fleet.follow_interruptions()
    rds.network.lighten(PRIMARY)
    rds.fleet.follow_interruptions()
    rds.clients[RECOVERY].reboot_db_instance(DBInstanceIdentifier="ended")
    rds.wait(RECOVERY, "ended")
    with replica.connect() as connection:
        assert connection.execute("SELECT 1 FROM pg_stat_wal_receiver").fetchone() is None

    rds.clients[RECOVERY].promote_read_replica(DBInstanceIdentifier="ended", BackupRetentionPeriod=0)

    promoted = rds.wait(RECOVERY, "ended")
    assert "ReadReplicaSourceDBInstanceIdentifier" not in promoted
    assert not promoted.get("StatusInfos")
    assert has_table(rds, "before_the_end")
    assert not has_table(rds, "after_the_end")
    with pytest.raises(SettingsError, match="name a read replica"):
        rds.backend.end_replication(RECOVERY, "ended")


def has_table(rds: RunningRds, name: str) -> bool:
    with rds.connect(RECOVERY, "ended") as connection:
        return connection.execute("SELECT to_regclass(%s)", (name,)).fetchone() != (None,)


def setting(rds: RunningRds, name: str, parameter: str) -> str:
    with rds.connect(PRIMARY, name) as connection:
        row = connection.execute("SELECT current_setting(%s)", (parameter,)).fetchone()
    assert row is not None
    return str(row[0])


def remove(rds: RunningRds, region: str, name: str) -> None:
    rds.clients[region].delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)

    def is_gone() -> bool:
        try:
            rds.describe(region, name)
        except rds.clients[region].exceptions.DBInstanceNotFoundFault:
            return True
        return False

    wait_until(is_gone)
