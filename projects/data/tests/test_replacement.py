"""What an instance was made with cannot change: the provider would delete it and make another."""

from __future__ import annotations

import pytest

from data_layer.replacement import refuse_replacement
from shared.errors import SettingsError

DEPLOYED = {"databaseName": "app", "masterUsername": "owner"}


def test_the_same_names_and_a_first_deploy_pass() -> None:
    refuse_replacement(DEPLOYED, database_name="app", username="owner", secret_id="secret")
    refuse_replacement({}, database_name="app", username="owner", secret_id="secret")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"database_name": "other"}, "setting databaseName = other: the primary was made with app"),
        ({"username": "other"}, "username of the secret secret = other: the primary was made with owner"),
    ],
)
def test_another_name_is_refused_before_it_deletes_the_primary(names: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        refuse_replacement(DEPLOYED, **{"database_name": "app", "username": "owner", "secret_id": "secret", **names})
