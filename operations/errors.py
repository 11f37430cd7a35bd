"""Why a command was not carried out. Bad input is not here: that is `shared.errors.SettingsError`."""


class RefusedError(Exception):
    """AWS, the controller or another person prevents it. The text names the key, the value and the remedy.

    Args:
        key: the option, output or thing it is about.
        value: what was found.
        remedy: what to do, as an instruction.
    """

    def __init__(self, key: str, value: object, remedy: str) -> None:
        self.key = key
        self.value = value
        self.remedy = remedy
        super().__init__(" ".join(f"{key} = {value}: {remedy}".split()))


class NoReportError(RefusedError):
    """The failover function gives no report."""


class ChangedMeanwhileError(RefusedError):
    """Another person has written the item `control` since it was read. Nothing was written."""


class SilentRegionError(RefusedError):
    """A region does not answer."""
