"""Why a command that was understood was not carried out. Bad input is `shared.errors.SettingsError`."""


class RefusedError(Exception):
    """AWS, the controller or another person stood in the way. It names the key, the value and the remedy.

    Args:
        key: what it is about, as the person knows it.
        value: what was found.
        remedy: what to do, as an instruction.
    """

    def __init__(self, key: str, value: object, remedy: str) -> None:
        self.key = key
        self.value = value
        self.remedy = remedy
        super().__init__(" ".join(f"{key} = {value}: {remedy}".split()))


class NoReportError(RefusedError):
    """The failover function does not tell what it sees."""


class ChangedMeanwhileError(RefusedError):
    """Another person has written the item `control` since it was read. Nothing was written."""
