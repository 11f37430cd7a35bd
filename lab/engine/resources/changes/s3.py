"""S3: a bucket's settings are written as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from lab.engine.registration import Values
from lab.engine.resource_table import Changes, Context
from lab.engine.resources import s3 as made
from lab.engine.resources.changes.parts import described, put_again
from lab.engine.tags import tag_list


def _tag_bucket(ctx: Context, name: str, _: Values) -> None:
    ctx.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(ctx.tags)})


BUCKET = "aws:s3/bucket:Bucket"

CHANGES: Mapping[str, Changes] = {
    BUCKET: Changes(
        state_only=frozenset({"forceDestroy"}),
        replaces=frozenset({"bucket"}),
        name="bucket",
        tag=_tag_bucket,
        read=described("s3", "head_bucket", "Bucket"),
    ),
    **{
        token: Changes(
            update=put_again(kind.create),
            updates=kind.inputs - {"bucket"},
            replaces=frozenset({"bucket"}),
            name="bucket",
        )
        for token, kind in made.TYPES.items()
        if token != BUCKET
    },
}
