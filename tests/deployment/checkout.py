"""A copy of what the repository configures, so that a test can change it: environments, projects and stack files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from shared.layers import LAYERS, layer


class Checkout:
    """The copy, at one path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def copied(cls, repository: Path, root: Path) -> Checkout:
        """A new copy of the repository's files.

        The layers' own packages are linked: `deployment.layer_settings` finds the settings' module by its file.
        """
        shutil.copytree(repository / "environments", root / "environments")
        for known in LAYERS:
            source, folder = repository / "projects" / known.name, root / "projects" / known.name
            folder.mkdir(parents=True)
            for file in source.glob("Pulumi*.yaml"):
                shutil.copy(file, folder)
            for package in source.glob("*_layer"):
                (folder / package.name).symlink_to(package)
        return cls(root)

    @property
    def flat_outputs(self) -> Path:
        """Where the outputs file goes."""
        return self.root / "cfn-outputs" / "flat-outputs.json"

    def environment_file(self, stack: str = "dev") -> Path:
        """What all layers of a stack share."""
        return self.root / "environments" / f"{stack}.yaml"

    def stack_file(self, name: str, stack: str = "dev") -> Path:
        """A layer's own settings."""
        return self.root / "projects" / name / f"Pulumi.{stack}.yaml"

    def set_environment(self, stack: str = "dev", **values: object) -> None:
        """Change what all layers share."""
        _update(self.environment_file(stack), values)

    def configure(self, name: str, stack: str = "dev", **values: object) -> None:
        """Change a layer's own settings."""
        file = self.stack_file(name, stack)
        config = yaml.safe_load(file.read_text())["config"]
        _update(
            file, {"config": {**config, **{f"{layer(name).project}:{key}": value for key, value in values.items()}}}
        )

    def make_production(self, stack: str = "dev") -> None:
        """The stack's environment is production, and the data layer's settings are what production takes."""
        self.set_environment(stack, environment="production")
        self.configure("data", stack, skipFinalSnapshot=False, forceDestroyBuckets=False)

    def contents(self) -> dict[str, bytes]:
        """Every file of it, for a comparison byte for byte."""
        files = [*self.root.glob("environments/*"), *self.root.glob("projects/*/Pulumi*")]
        return {str(file.relative_to(self.root)): file.read_bytes() for file in sorted(files)}


def _update(file: Path, values: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **values}))
