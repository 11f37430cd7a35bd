"""What the last snapshot of a database that is to go is called. RDS takes none of one that Pulumi has retired."""

from __future__ import annotations

import re

ID_LENGTH = 8


def final_snapshot_name(instance_id: str, resource_id: str) -> str:
    """What the name begins with. With a part of the resource id: another life of the same identifier has another one.

    The epoch follows: one that was a writer, and shut, and a writer again has had one before.
    """
    return f"final-{instance_id}-{re.sub('[^a-z0-9]', '', resource_id.lower())[-ID_LENGTH:]}"
