"""Client programs of drivers from PyPI; each is what docs/connecting.md says of its driver, and runs by itself."""
