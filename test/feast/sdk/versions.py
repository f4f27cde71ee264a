"""One view that is applied twice, in two versions with tables of their own; VERSION says which."""
import os
from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Int64, String

later = os.environ["VERSION"] == "later"

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.STRING)
clicks = FeatureView(
    name="clicks", entities=[user], ttl=timedelta(0),
    source=FileSource(name="clicks_source", path="clicks.parquet", timestamp_field="event_timestamp"),
    schema=[Field(name="count", dtype=Int64)] + ([Field(name="label", dtype=String)] if later else []))
service = FeatureService(name="clicks_service", features=[clicks])
