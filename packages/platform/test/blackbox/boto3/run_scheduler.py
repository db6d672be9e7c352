"""EventBridge Scheduler by boto3: each operation, and a schedule that calls its function."""

import json
import time
from datetime import datetime, timedelta, timezone

from stage import ACCOUNT, ROLE, aws, case, equal, first_record, function, python, run, stage, stream_named

cloud, ground = aws["scheduler"], stage["scheduler"]
NOT_THERE = ("ResourceNotFoundException", 404)
TAKEN = ("ConflictException", 409)
INVALID = ("ValidationException", 400)
LATER = "at(2199-01-01T00:00:00)"
OFF = {"Mode": "OFF"}


def queue(name):
    url = stage["sqs"].create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def target(arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:nobody", **more):
    return {"Arn": arn, "RoleArn": ROLE, **more}


def schedule(name, **changed):
    wanted = {"Name": name, "ScheduleExpression": LATER, "FlexibleTimeWindow": OFF, "Target": target(), **changed}
    ground.create_schedule(**wanted)
    return wanted


def group(name, **more):
    return ground.create_schedule_group(Name=name, **more)["ScheduleGroupArn"]


def body_of(url):
    while True:
        messages = stage["sqs"].receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", [])
        if messages:
            return messages[0]["Body"]


def no_expression():
    cloud.create_schedule(Name="none", ScheduleExpression="rate(5 minute)", FlexibleTimeWindow=OFF, Target=target())


@case("CreateSchedule", (no_expression, *INVALID))
def create_schedule():
    url, arn = queue("scheduled")
    made = cloud.create_schedule(Name="at-once", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target(arn, Input="hello"))
    equal(made["ScheduleArn"], f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/default/at-once")
    equal(body_of(url), "hello")


@case("CreateSchedule")
def create_schedule_for_once():
    url, arn = queue("scheduled-once")
    soon = (datetime.now(timezone.utc) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S")
    wanted = target(arn, Input="due at <aws.scheduler.scheduled-time>")
    schedule("soon", ScheduleExpression=f"at({soon})", ActionAfterCompletion="DELETE", Target=wanted)
    equal(body_of(url), f"due at {soon}Z")
    assert datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") >= soon, "early"
    equal(ground.list_schedules(NamePrefix="soon")["Schedules"], [])


@case("CreateSchedule")
def create_schedule_of_any_operation():
    url, _ = queue("scheduled-operation")
    wanted = target("arn:aws:scheduler:::aws-sdk:sqs:sendMessage", Input=json.dumps({"QueueUrl": url, "MessageBody": "from anywhere"}))
    schedule("any-operation", ScheduleExpression="rate(1 day)", Target=wanted)
    equal(body_of(url), "from anywhere")


@case("CreateSchedule")
def create_schedule_of_stream():
    stream = stream_named("scheduled")
    wanted = target(stream, Input="tick", KinesisParameters={"PartitionKey": "clock"})
    schedule("into-stream", ScheduleExpression="rate(1 day)", Target=wanted)
    record = first_record(stream)
    equal((record["PartitionKey"], record["Data"]), ("clock", b"tick"))


@case("CreateSchedule")
def create_schedule_of_function():
    function("scheduled", python("print('called by', event['resources'][0])"))
    schedule("calls", ScheduleExpression="rate(1 day)", Target=target(function_arn("scheduled")))
    while not said("scheduled", f"called by arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/default/calls"):
        time.sleep(0.05)


def function_arn(name):
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"


def said(name, text):
    groups = stage["logs"].describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    return groups and stage["logs"].filter_log_events(logGroupName=groups[0]["logGroupName"], filterPattern=f'"{text}"')["events"]


@case("GetSchedule", (lambda: cloud.get_schedule(Name="nowhere"), *NOT_THERE))
def get_schedule():
    wanted = schedule(
        "shown",
        ScheduleExpression="cron(0 9 ? * MON-FRI *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        Description="weekdays",
        State="DISABLED",
        ActionAfterCompletion="DELETE",
        Target=target(Input="{}", RetryPolicy={"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 1}),
    )
    shown = cloud.get_schedule(Name="shown")
    equal({name: shown[name] for name in wanted}, wanted)
    equal(shown["GroupName"], "default")


@case("UpdateSchedule", (lambda: cloud.update_schedule(Name="nowhere", ScheduleExpression=LATER, FlexibleTimeWindow=OFF, Target=target()), *NOT_THERE))
def update_schedule():
    schedule("changed", Description="gone with the update")
    cloud.update_schedule(Name="changed", ScheduleExpression="rate(2 hours)", FlexibleTimeWindow=OFF, State="DISABLED", Target=target())
    shown = ground.get_schedule(Name="changed")
    equal((shown["ScheduleExpression"], shown["State"], shown.get("Description")), ("rate(2 hours)", "DISABLED", None))


@case("DeleteSchedule", (lambda: cloud.delete_schedule(Name="nowhere"), *NOT_THERE))
def delete_schedule():
    schedule("gone")
    cloud.delete_schedule(Name="gone")
    equal(ground.list_schedules(NamePrefix="gone")["Schedules"], [])


@case("ListSchedules", (lambda: cloud.list_schedules(GroupName="nowhere"), *NOT_THERE))
def list_schedules():
    group("listed")
    for name in ("a", "b", "c"):
        schedule(name, GroupName="listed", State="DISABLED" if name == "b" else "ENABLED")
    pages = ground.get_paginator("list_schedules").paginate(GroupName="listed", PaginationConfig={"PageSize": 2})
    equal([each["Name"] for page in pages for each in page["Schedules"]], ["a", "b", "c"])
    equal([each["Name"] for each in cloud.list_schedules(GroupName="listed", State="ENABLED")["Schedules"]], ["a", "c"])


@case("CreateScheduleGroup", (lambda: cloud.create_schedule_group(Name="default"), *TAKEN))
def create_schedule_group():
    made = cloud.create_schedule_group(Name="made", Tags=[{"Key": "team", "Value": "a"}])
    equal(made["ScheduleGroupArn"], f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/made")
    schedule("inside", GroupName="made")
    equal(ground.get_schedule(Name="inside", GroupName="made")["Arn"], f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/made/inside")


@case("GetScheduleGroup", (lambda: cloud.get_schedule_group(Name="nowhere"), *NOT_THERE))
def get_schedule_group():
    arn = group("group-shown")
    shown = cloud.get_schedule_group(Name="group-shown")
    equal((shown["Arn"], shown["State"], shown["CreationDate"] == shown["LastModificationDate"]), (arn, "ACTIVE", True))


@case("ListScheduleGroups", (lambda: cloud.list_schedule_groups(NextToken="%"), *INVALID))
def list_schedule_groups():
    group("groups-b")
    group("groups-a")
    equal([each["Name"] for each in cloud.list_schedule_groups(NamePrefix="groups-")["ScheduleGroups"]], ["groups-a", "groups-b"])


@case("DeleteScheduleGroup", (lambda: cloud.delete_schedule_group(Name="default"), *INVALID))
def delete_schedule_group():
    group("removed")
    schedule("goes", GroupName="removed")
    cloud.delete_schedule_group(Name="removed")
    while any(each["Name"] == "removed" for each in ground.list_schedule_groups()["ScheduleGroups"]):
        time.sleep(0.02)


@case("TagResource", (lambda: cloud.tag_resource(ResourceArn=f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/nowhere", Tags=[]), *NOT_THERE))
def tag_resource():
    arn = group("tagged", Tags=[{"Key": "a", "Value": "1"}])
    cloud.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    equal(ground.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])


@case("UntagResource", (lambda: cloud.untag_resource(ResourceArn=f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/nowhere", TagKeys=["a"]), *NOT_THERE))
def untag_resource():
    arn = group("untagged", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    cloud.untag_resource(ResourceArn=arn, TagKeys=["a"])
    equal(ground.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "b", "Value": "2"}])


@case("ListTagsForResource", (lambda: cloud.list_tags_for_resource(ResourceArn=f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/nowhere"), *NOT_THERE))
def list_tags_for_resource():
    arn = group("tags-shown", Tags=[{"Key": "a", "Value": "1"}])
    equal(cloud.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "a", "Value": "1"}])


run("scheduler")
