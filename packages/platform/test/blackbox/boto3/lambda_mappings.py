"""Event source mappings by boto3."""

import time

from lambda_functions import cloud, ground, NOT_FOUND
from stage import ACCOUNT, case, client, equal, function, refuses

queues = client("sqs")
NOWHERE = "00000000-0000-4000-8000-000000000000"


def pair(name):
    queues.create_queue(QueueName=name)
    return {"FunctionName": function(name), "EventSourceArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"}


def until(uuid, state):
    """A mapping has no waiter."""
    for _ in range(500):
        if ground.get_event_source_mapping(UUID=uuid)["State"] == state:
            return
        time.sleep(0.01)
    raise AssertionError(f"the mapping is not {state}")


def mapped(name):
    uuid = ground.create_event_source_mapping(**pair(name))["UUID"]
    until(uuid, "Enabled")
    return uuid


def too_quick():
    queues.create_queue(QueueName="mapping-quick", Attributes={"VisibilityTimeout": "2"})
    cloud.create_event_source_mapping(FunctionName=function("mapping-quick"), EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:mapping-quick")


@case("CreateEventSourceMapping", (too_quick, "InvalidParameterValueException", 400))
def create_event_source_mapping():
    made = cloud.create_event_source_mapping(**pair("create-mapping"), BatchSize=5, FunctionResponseTypes=["ReportBatchItemFailures"])
    equal((made["State"], made["BatchSize"], made["FunctionResponseTypes"]), ("Creating", 5, ["ReportBatchItemFailures"]))
    until(made["UUID"], "Enabled")


@case("UpdateEventSourceMapping", (lambda: cloud.update_event_source_mapping(UUID=NOWHERE, BatchSize=5), *NOT_FOUND))
def update_event_source_mapping():
    uuid = mapped("update-mapping")
    equal(cloud.update_event_source_mapping(UUID=uuid, Enabled=False)["State"], "Disabling")
    until(uuid, "Disabled")
    cloud.update_event_source_mapping(UUID=uuid, MaximumBatchingWindowInSeconds=2, BatchSize=50)
    until(uuid, "Disabled")
    equal(ground.get_event_source_mapping(UUID=uuid)["BatchSize"], 50)


@case("GetEventSourceMapping", (lambda: cloud.get_event_source_mapping(UUID=NOWHERE), *NOT_FOUND))
def get_event_source_mapping():
    equal(cloud.get_event_source_mapping(UUID=mapped("get-mapping"))["State"], "Enabled")


@case("ListEventSourceMappings", (lambda: cloud.list_event_source_mappings(Marker="bm9uZQ"), "InvalidParameterValueException", 400))
def list_event_source_mappings():
    uuid = mapped("list-mappings")
    pages = cloud.get_paginator("list_event_source_mappings").paginate(FunctionName="list-mappings", PaginationConfig={"PageSize": 1})
    equal([each["UUID"] for page in pages for each in page["EventSourceMappings"]], [uuid])


@case("DeleteEventSourceMapping", (lambda: cloud.delete_event_source_mapping(UUID=NOWHERE), *NOT_FOUND))
def delete_event_source_mapping():
    uuid = mapped("delete-mapping")
    equal(cloud.delete_event_source_mapping(UUID=uuid)["State"], "Deleting")
    refuses(lambda: until(uuid, "gone"), *NOT_FOUND)
