"""What the SDK's test applies: every kind of key and projection, and the types a ranker meets."""
from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import (
    Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp)


def source(name):
    return FileSource(name=f"{name}_source", path=f"{name}.parquet", timestamp_field="event_timestamp")


user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.STRING)
doc = Entity(name="doc", join_keys=["doc_id"], value_type=ValueType.INT64)

user_activity = FeatureView(
    name="user_activity", entities=[user], ttl=timedelta(days=30), source=source("user_activity"),
    schema=[
        Field(name="opened", dtype=Int64), Field(name="rank", dtype=Int32),
        Field(name="mean_dwell", dtype=Float32), Field(name="total_dwell", dtype=Float64),
        Field(name="last_kind", dtype=String), Field(name="is_active", dtype=Bool),
        Field(name="token", dtype=Bytes), Field(name="last_seen", dtype=UnixTimestamp),
        Field(name="recent_kinds", dtype=Array(String)), Field(name="embedding", dtype=Array(Float32)),
        Field(name="recent_docs", dtype=Array(Int64))])

doc_popularity = FeatureView(
    name="doc_popularity", entities=[doc], ttl=timedelta(0), source=source("doc_popularity"),
    schema=[Field(name="views", dtype=Int64), Field(name="mean_dwell", dtype=Float32)])

user_doc = FeatureView(
    name="user_doc", entities=[user, doc], ttl=timedelta(0), source=source("user_doc"),
    schema=[Field(name="views", dtype=Int64), Field(name="last_kind", dtype=String)])

totals = FeatureView(
    name="totals", entities=[], ttl=timedelta(0), source=source("totals"),
    schema=[Field(name="users", dtype=Int64)])

doc_live = FeatureView(
    name="doc_live", entities=[doc], ttl=timedelta(0),
    source=PushSource(name="doc_events", batch_source=source("doc_live")),
    schema=[Field(name="seq", dtype=Int64), Field(name="writer", dtype=String)])

plain = FeatureService(name="plain", features=[user_activity[["opened", "embedding"]], user_doc])
ranking = FeatureService(name="ranking", features=[
    user_activity, user_doc.with_name("ud"), doc_live, totals,
    doc_popularity[["views"]].with_name("shown"),
    doc_popularity.with_name("seen").with_join_key_map({"doc_id": "seen_doc_id"})])
