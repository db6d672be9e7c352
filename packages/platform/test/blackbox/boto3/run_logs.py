"""CloudWatch Logs by boto3: what functions wrote, read and searched."""

import time

from stage import aws, call, case, equal, function, python, run, stage

cloud, ground = aws["logs"], stage["logs"]
NOT_FOUND = ("ResourceNotFoundException", 400)
NOWHERE = {"logGroupName": "/nowhere"}


def group(name):
    ground.create_log_group(logGroupName=name)
    return name


def stream(name):
    place = {"logGroupName": group(name), "logStreamName": "a"}
    ground.create_log_stream(**place)
    return place


@case("CreateLogGroup", (lambda: cloud.create_log_group(logGroupName=group("/taken")), "ResourceAlreadyExistsException", 400))
def create_log_group():
    cloud.create_log_group(logGroupName="/create/group")
    equal([each["logGroupName"] for each in ground.describe_log_groups(logGroupNamePrefix="/create/")["logGroups"]], ["/create/group"])


@case("DescribeLogGroups", (lambda: cloud.describe_log_groups(nextToken="made up"), "InvalidParameterException", 400))
def describe_log_groups():
    for name in ("/listed/a", "/listed/b"):
        group(name)
    pages = cloud.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/listed/", PaginationConfig={"PageSize": 1})
    equal([each["logGroupName"] for page in pages for each in page["logGroups"]], ["/listed/a", "/listed/b"])


@case("PutLogEvents", (lambda: cloud.put_log_events(**NOWHERE, logStreamName="a", logEvents=[{"timestamp": 1, "message": "x"}]), *NOT_FOUND))
def put_log_events():
    place = stream("/put/events")
    cloud.put_log_events(**place, logEvents=[{"timestamp": int(time.time() * 1000), "message": "written"}])
    equal([each["message"] for each in ground.get_log_events(**place)["events"]], ["written"])


@case("DescribeLogStreams", (lambda: cloud.describe_log_streams(**NOWHERE), *NOT_FOUND))
def describe_log_streams():
    equal([each["logStreamName"] for each in cloud.describe_log_streams(logGroupName=stream("/list/streams")["logGroupName"])["logStreams"]], ["a"])


@case("GetLogEvents", (lambda: cloud.get_log_events(**NOWHERE, logStreamName="a"), *NOT_FOUND))
def get_log_events():
    equal(cloud.get_log_events(**stream("/get/events"), startFromHead=True)["events"], [])


@case("FilterLogEvents", (lambda: cloud.filter_log_events(**NOWHERE), *NOT_FOUND))
def filter_log_events():
    call(function("logs-itself", python("print('needle', event['n'])")), {"n": 7})
    pages = cloud.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/logs-itself", filterPattern="needle")
    equal([each["message"].strip() for page in pages for each in page["events"]], ["needle 7"])


run("logs")
