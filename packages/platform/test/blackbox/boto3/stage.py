"""What the cases share: recorded and unrecorded clients, functions ready to be called, and how a case is told."""

import io
import json
import os
import time
import traceback
import zipfile

import boto3
import botocore
from botocore.config import Config

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any-well-formed-name"
CASES = []


def client(service, url=None, **changed):
    settings = {"region_name": "us-east-1", "config": Config(retries={"total_max_attempts": 1}), **changed}
    return boto3.client(service, endpoint_url=url or os.environ["AWS_ENDPOINT_URL"], **settings)


def recorded(service, **changed):
    return client(service, os.environ["RECORDER_URL"], **changed)


# Only the operation under test goes through the recorded clients; the others prepare, and look at the effect.
aws = {name: recorded(name) for name in ("lambda", "iam", "sts", "logs", "sqs", "scheduler", "sns", "events", "kinesis", "s3")}
stage = {name: client(name) for name in ("lambda", "iam", "sts", "logs", "sqs", "scheduler", "sns", "events", "kinesis", "s3")}


def case(operation, refused=None):
    """Declares an operation's case; `refused` is a call, the class of its error and the status."""

    def declare(does):
        CASES.append((operation, does, refused))
        return does

    return declare


def zipped(files):
    """Stored, not deflated, at a fixed time: the same bytes whatever zlib there is."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
    return target.getvalue()


def python(body):
    return {"app.py": f"import json, os\ndef handler(event, context):\n    {body}\n"}


def function(name, files=None, functions=None, **changed):
    """A function that is ready to be called, by the waiter that people use."""
    functions = functions or stage["lambda"]
    settings = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, **changed}
    functions.create_function(FunctionName=name, Code={"ZipFile": zipped(files or python(f"return '{name}'"))}, **settings)
    active(name, functions)
    return name


def active(name, functions=None):
    (functions or stage["lambda"]).get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=OFTEN)


def updated(name):
    stage["lambda"].get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)


OFTEN = {"Delay": 0.02, "MaxAttempts": 1500}


def call(name, event=None, **more):
    answer = stage["lambda"].invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    return json.loads(answer["Payload"].read())


def stream_named(name):
    """The ARN of a new stream of one shard."""
    stage["kinesis"].create_stream(StreamName=name, ShardCount=1)
    return stage["kinesis"].describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


def first_record(stream):
    """What comes first on a stream, once it is there."""
    where = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = stage["kinesis"].get_shard_iterator(StreamARN=stream, **where)["ShardIterator"]
    while True:
        answer = stage["kinesis"].get_records(ShardIterator=iterator)
        if answer["Records"]:
            return answer["Records"][0]
        iterator = answer["NextShardIterator"]
        time.sleep(0.05)


def equal(actual, wanted):
    assert actual == wanted, f"{actual!r} is not {wanted!r}"


def refuses(attempt, name, status, service="lambda"):
    """The call must fail with the client's own class of that name, where its model has one."""
    try:
        attempt()
    except botocore.exceptions.ClientError as error:
        equal((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]), (name, status))
        modelled = {shape.metadata.get("error", {}).get("code", shape.name): shape.name for shape in stage[service].meta.service_model.error_shapes}
        if name in modelled:
            assert isinstance(error, getattr(stage[service].exceptions, modelled[name])), f"{type(error)} is not the class of {name}"
        assert len(error.response["Error"]["Message"]) > 5, error.response
        return error.response
    raise AssertionError(f"not refused as {name}")


def run(service):
    """Runs every declared case and tells each ending in a line of JSON."""
    for operation, does, refused in CASES:
        told = {"operation": operation, "status": None, "error": None}
        try:
            does()
            if refused:
                attempt, name, status = refused
                refuses(attempt, name, status, service)
                told["status"] = status
        except Exception:  # noqa: BLE001 - whatever went wrong is the case's ending
            told["error"] = traceback.format_exc()
        print(json.dumps(told), flush=True)
