"""Settings that cannot change after the primary was created: another value would replace the database."""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import SettingsError


def refuse_replacement(deployed: Mapping[str, object], *, database_name: str, username: str, secret_id: str) -> None:
    """Refuse another database name or master user than the primary was created with.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html has no parameter for either.

    Args:
        deployed: the outputs of this layer's stack, empty where it is not deployed.
        database_name: as the settings say.
        username: the master user's name, as the secret says.
        secret_id: the secret, for the error.

    Raises:
        SettingsError: a deploy would delete the primary and make another database in its place.
    """
    for output, value, where in (
        ("databaseName", database_name, "setting databaseName"),
        ("masterUsername", username, f"username of the secret {secret_id}"),
    ):
        if output in deployed and deployed[output] != value:
            raise SettingsError(
                where,
                value,
                f"the primary was made with {deployed[output]}, and another value would delete it and make an empty "
                f"one: put {deployed[output]} back",
            )
