"""Feast's side of the SDK's test: one JSON object a line in, one a line out, in one process.

  feast_side.py REPO    (a folder with feature_store.yaml and definitions.py)
"""
import base64
import json
import os
import pathlib
import sys

# Whatever Feast prints goes where logs go: standard output is for the answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import pandas
from feast import FeatureStore
from feast.feature_server_utils import convert_response_to_dict

REPO = pathlib.Path(sys.argv[1])
stores = {"applied": FeatureStore(repo_path=str(REPO))}


def cell(value):
    return base64.b64decode(value["bytes"]) if isinstance(value, dict) else value


def frame(columns):
    """Objects, so that an integer beside a null stays one."""
    data = {}
    for name, values in columns.items():
        if name == "event_timestamp":
            data[name] = pandas.to_datetime(pandas.Series(values), utc=True, format="ISO8601")
        else:
            data[name] = pandas.Series([cell(value) for value in values], dtype=object)
    return pandas.DataFrame(data)


def write(view, columns):
    stores["applied"].write_to_online_store(view, df=frame(columns))


def push(source, columns):
    stores["applied"].push(source, frame(columns))


def parquet(path, columns):
    frame(columns).to_parquet(path)


def remote(url):
    """From now on the store `remote` is Feast's client of a feature server there."""
    repo = REPO / "remote"
    repo.mkdir(exist_ok=True)
    own = (REPO / "feature_store.yaml").read_text()
    head = own[:own.index("online_store:")].replace("registry.db", "../registry.db")
    (repo / "feature_store.yaml").write_text(f"{head}online_store:\n  type: remote\n  path: {url}\n")
    stores["remote"] = FeatureStore(repo_path=str(repo))


def read(store, rows, full, service=None, features=None):
    asked = stores[store]
    wanted = asked.get_feature_service(service) if service else features
    reply = asked.get_online_features(features=wanted, entity_rows=rows, full_feature_names=full)
    # As text: no digit of it is lost on the way.
    return json.dumps(convert_response_to_dict(reply.proto))


def answer(line):
    order = json.loads(line)
    work = {"write": write, "push": push, "parquet": parquet, "remote": remote, "read": read}
    try:
        return {"done": work[order.pop("do")](**order)}
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    answers.write(json.dumps(answer(line)) + "\n")
    answers.flush()
