"""The one error for bad input: it names the key, the value and the remedy."""


class SettingsError(ValueError):
    """A value somebody gave cannot be used.

    Args:
        key: the setting, variable or argument, as the person wrote or would write it.
        value: what was given; pass a description such as ``"(not set)"`` where nothing was. Never a secret.
        remedy: what would be right, as an instruction.
    """

    def __init__(self, key: str, value: object, remedy: str) -> None:
        self.key = key
        self.value = value
        self.remedy = remedy
        super().__init__(" ".join(f"{key} = {value}: {remedy}".split()))
