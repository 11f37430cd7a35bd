"""What RDS shows of the instances against how the configuration says that they came into being."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from data_layer.births import NoInstance, Replica
from data_layer.declared import database_arn
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

    from data_layer.settings import DataSettings

GONE = "DBInstanceNotFound"


def contradicted_births(settings: DataSettings, rds: Mapping[Site, RDSClient]) -> Iterator[str]:
    """What a person should know: births that cannot be those of the instances that are there.

    Nothing is decided by it: a birth is an argument of what a deploy makes, and of what stands it changes nothing. But
    whoever deploys from such a configuration has an older one than was deployed last. A replica that was promoted shows
    no source any more, so that another one than was declared is seen only while it replicates; one that is declared as
    none is there until the deploy that deletes it.

    Args:
        settings: the layer's settings.
        rds: RDS in each site's region.
    """
    for site, client in rds.items():
        birth, name = settings.instances[site].birth, database_arn(settings.environment, site).name
        try:
            (instance,) = client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        except ClientError as error:
            if error.response["Error"]["Code"] != GONE:
                yield f"{site}Birth = {birth}: not compared with RDS, which refuses to describe {name}: {error}"
            continue
        except BotoCoreError:
            continue  # Its region is dark, which the secret's check says.
        source = instance.get("ReadReplicaSourceDBInstanceIdentifier")
        if source is not None and not isinstance(birth, Replica | NoInstance):
            yield f"{site}Birth = {birth}, and {name} is a replica of {source}: {PULL}"


PULL = "take the stack file that was deployed last, or say with nox -s reprotect -- --dry-run what is to become of it"
