"""The registry of layers is consistent with itself and with what is on disk (D1, D3, D5)."""

from __future__ import annotations

import pytest
import yaml

from shared.errors import SettingsError
from shared.layers import LAYERS, Layer, layer

each_layer = pytest.mark.parametrize("known", LAYERS, ids=lambda known: known.name)


def test_a_layer_reads_only_layers_below_it() -> None:
    names = [known.name for known in LAYERS]
    for position, known in enumerate(LAYERS):
        assert set(known.reads) <= set(names[:position])


@each_layer
def test_a_layer_is_a_pulumi_project_of_the_registered_name(known: Layer) -> None:
    project = yaml.safe_load((known.folder / "Pulumi.yaml").read_text())
    assert project["name"] == known.project
    assert (known.folder / "__main__.py").is_file()


def test_an_unknown_layer_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(SettingsError, match="layer = databse: name one of: network, data, dr-automation, observ"):
        layer("databse")
