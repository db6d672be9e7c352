"""EventBridge by boto3: buses, rules, targets, archives, connections; a queue shows what came of it."""

import json
from datetime import datetime, timezone

from stage import ACCOUNT, ROLE, aws, case, equal, first_record, run, stage, stream_named

cloud, ground, queues = aws["events"], stage["events"], stage["sqs"]
NOT_THERE = ("ResourceNotFoundException", 400)
INVALID = ("ValidationException", 400)
BASIC = {"AuthorizationType": "BASIC", "AuthParameters": {"BasicAuthParameters": {"Username": "ada", "Password": "hunter2"}}}


def arn(resource):
    return f"arn:aws:events:us-east-1:{ACCOUNT}:{resource}"


def queue_arn(name):
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def bus(name):
    return ground.create_event_bus(Name=name)["EventBusArn"]


def rule(name, *targets):
    """A rule on a bus of the same name, for events of the source shop."""
    bus(name)
    ground.put_rule(Name=name, EventBusName=name, EventPattern='{"source":["shop"]}')
    if targets:
        ground.put_targets(Rule=name, EventBusName=name, Targets=list(targets))
    return {"Name": name, "EventBusName": name}


def queue(name):
    """A queue that rules may send to."""
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue_arn(name)}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    return queues.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]


def following(url):
    message = queues.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]
    queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return json.loads(message["Body"])


def order(name, number):
    return {"Source": "shop", "DetailType": "Order", "Detail": json.dumps({"n": number}), "EventBusName": name}


def missing(attempt):
    try:
        attempt()
    except ground.exceptions.ResourceNotFoundException:
        return
    raise AssertionError("it is still there")


@case("CreateEventBus", (lambda: cloud.create_event_bus(Name="default"), "ResourceAlreadyExistsException", 400))
def create_event_bus():
    equal(cloud.create_event_bus(Name="made", Description="of tests", Tags=[{"Key": "a", "Value": "b"}])["EventBusArn"], arn("event-bus/made"))
    equal(ground.describe_event_bus(Name="made")["Description"], "of tests")


@case("UpdateEventBus", (lambda: cloud.update_event_bus(Name="none", Description="x"), *NOT_THERE))
def update_event_bus():
    bus("updated")
    cloud.update_event_bus(Name="updated", Description="changed")
    equal(ground.describe_event_bus(Name="updated")["Description"], "changed")


@case("DeleteEventBus", (lambda: cloud.delete_event_bus(Name="default"), *INVALID))
def delete_event_bus():
    bus("deleted")
    cloud.delete_event_bus(Name="deleted")
    missing(lambda: ground.describe_event_bus(Name="deleted"))


@case("DescribeEventBus", (lambda: cloud.describe_event_bus(Name="none"), *NOT_THERE))
def describe_event_bus():
    equal(cloud.describe_event_bus()["Arn"], arn("event-bus/default"))


@case("ListEventBuses", (lambda: cloud.list_event_buses(NextToken="***"), *INVALID))
def list_event_buses():
    for name in ("listed-a", "listed-b"):
        bus(name)
    first = cloud.list_event_buses(NamePrefix="listed-", Limit=1)
    rest = ground.list_event_buses(NamePrefix="listed-", NextToken=first["NextToken"])
    equal([each["Name"] for each in first["EventBuses"] + rest["EventBuses"]], ["listed-a", "listed-b"])


def permitted(name, statement="friends"):
    ground.put_permission(EventBusName=name, StatementId=statement, Action="events:PutEvents", Principal="111111111111")


@case("PutPermission", (lambda: cloud.put_permission(Policy=" " * 10_241), "PolicyLengthExceededException", 400))
def put_permission():
    bus("shared")
    cloud.put_permission(EventBusName="shared", StatementId="friends", Action="events:PutEvents", Principal="111111111111")
    equal([each["Sid"] for each in json.loads(ground.describe_event_bus(Name="shared")["Policy"])["Statement"]], ["friends"])


@case("RemovePermission", (lambda: cloud.remove_permission(StatementId="none"), *NOT_THERE))
def remove_permission():
    bus("unshared")
    permitted("unshared")
    cloud.remove_permission(EventBusName="unshared", StatementId="friends")
    assert "Policy" not in ground.describe_event_bus(Name="unshared")


@case("TagResource", (lambda: cloud.tag_resource(ResourceARN=arn("event-bus/none"), Tags=[]), *NOT_THERE))
def tag_resource():
    tagged = bus("tagged")
    cloud.tag_resource(ResourceARN=tagged, Tags=[{"Key": "a", "Value": "1"}])
    equal(ground.list_tags_for_resource(ResourceARN=tagged)["Tags"], [{"Key": "a", "Value": "1"}])


@case("UntagResource", (lambda: cloud.untag_resource(ResourceARN=arn("rule/none"), TagKeys=["a"]), *NOT_THERE))
def untag_resource():
    tagged = bus("untagged")
    ground.tag_resource(ResourceARN=tagged, Tags=[{"Key": "a", "Value": "1"}])
    cloud.untag_resource(ResourceARN=tagged, TagKeys=["a"])
    equal(ground.list_tags_for_resource(ResourceARN=tagged)["Tags"], [])


@case("ListTagsForResource", (lambda: cloud.list_tags_for_resource(ResourceARN=arn("rule/none")), *NOT_THERE))
def list_tags_for_resource():
    equal(cloud.list_tags_for_resource(ResourceARN=arn("event-bus/default"))["Tags"], [])


@case("PutRule", (lambda: cloud.put_rule(Name="r", EventPattern='{"source":"shop"}'), "InvalidEventPatternException", 400))
def put_rule():
    bus("put-rule")
    given = {"Name": "r", "EventBusName": "put-rule", "EventPattern": '{"source":["shop"]}', "Description": "x"}
    equal(cloud.put_rule(**given)["RuleArn"], arn("rule/put-rule/r"))
    found = ground.describe_rule(Name="r", EventBusName="put-rule")
    equal({name: found[name] for name in given}, given)


@case("DescribeRule", (lambda: cloud.describe_rule(Name="none"), *NOT_THERE))
def describe_rule():
    found = cloud.describe_rule(**rule("described"))
    equal((found["State"], found["CreatedBy"], found["Arn"]), ("ENABLED", ACCOUNT, arn("rule/described/described")))


@case("DeleteRule", (lambda: cloud.delete_rule(**rule("full", {"Id": "q", "Arn": queue_arn("x")})), *INVALID))
def delete_rule():
    named = rule("deleted-rule")
    cloud.delete_rule(**named)
    missing(lambda: ground.describe_rule(**named))


@case("EnableRule", (lambda: cloud.enable_rule(Name="none"), *NOT_THERE))
def enable_rule():
    named = rule("enabled")
    ground.disable_rule(**named)
    cloud.enable_rule(**named)
    equal(ground.describe_rule(**named)["State"], "ENABLED")


@case("DisableRule", (lambda: cloud.disable_rule(Name="none"), *NOT_THERE))
def disable_rule():
    named = rule("disabled")
    cloud.disable_rule(**named)
    equal(ground.describe_rule(**named)["State"], "DISABLED")


@case("ListRules", (lambda: cloud.list_rules(EventBusName="none"), *NOT_THERE))
def list_rules():
    rule("listed-rules")
    pages = cloud.get_paginator("list_rules").paginate(EventBusName="listed-rules")
    equal([each["Name"] for page in pages for each in page["Rules"]], ["listed-rules"])


@case("ListRuleNamesByTarget", (lambda: cloud.list_rule_names_by_target(TargetArn=queue_arn("x"), EventBusName="none"), *NOT_THERE))
def list_rule_names_by_target():
    rule("by-target", {"Id": "q", "Arn": queue_arn("x")})
    equal(cloud.list_rule_names_by_target(TargetArn=queue_arn("x"), EventBusName="by-target")["RuleNames"], ["by-target"])


@case("PutTargets", (lambda: cloud.put_targets(Rule="none", Targets=[{"Id": "q", "Arn": queue_arn("x")}]), *NOT_THERE))
def put_targets():
    rule("targets")
    url = queue("targets")
    transformer = {"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": '{"number":<n>,"rule":<aws.events.rule-name>}'}
    targets = [{"Id": "queue", "Arn": queue_arn("targets"), "InputTransformer": transformer}, {"Id": "bad", "Arn": "no-arn"}]
    answer = cloud.put_targets(Rule="targets", EventBusName="targets", Targets=targets)
    equal((answer["FailedEntryCount"], answer["FailedEntries"][0]["TargetId"]), (1, "bad"))
    ground.put_events(Entries=[order("targets", 7)])
    equal(following(url), {"number": 7, "rule": "targets"})


@case("PutTargets")
def put_stream_as_target():
    stream = stream_named("targets")
    parameters = {"KinesisParameters": {"PartitionKeyPath": "$.detail.n"}, "InputPath": "$.detail", "RoleArn": ROLE}
    rule("to-stream", {"Id": "stream", "Arn": stream, **parameters})
    ground.put_events(Entries=[order("to-stream", 7)])
    record = first_record(stream)
    equal((record["PartitionKey"], json.loads(record["Data"])), ("7", {"n": 7}))


@case("RemoveTargets", (lambda: cloud.remove_targets(Rule="none", Ids=["q"]), *NOT_THERE))
def remove_targets():
    rule("removed", {"Id": "q", "Arn": queue_arn("x")})
    equal(cloud.remove_targets(Rule="removed", EventBusName="removed", Ids=["q"])["FailedEntryCount"], 0)
    equal(ground.list_targets_by_rule(Rule="removed", EventBusName="removed")["Targets"], [])


@case("ListTargetsByRule", (lambda: cloud.list_targets_by_rule(Rule="none"), *NOT_THERE))
def list_targets_by_rule():
    target = {"Id": "q", "Arn": queue_arn("x"), "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60}}
    rule("target-list", target)
    equal(cloud.list_targets_by_rule(Rule="target-list", EventBusName="target-list")["Targets"], [target])


@case("PutEvents", (lambda: cloud.put_events(Entries=[order("default", 1)] * 11), *INVALID))
def put_events():
    url = queue("put")
    rule("put", {"Id": "q", "Arn": queue_arn("put")})
    answer = cloud.put_events(Entries=[{**order("put", 1), "Time": datetime(2026, 11, 21, tzinfo=timezone.utc)}, {**order("put", 2), "Detail": "no JSON"}])
    equal((answer["FailedEntryCount"], answer["Entries"][1]["ErrorCode"]), (1, "MalformedDetail"))
    event = following(url)
    equal((event["id"], event["detail"], event["time"]), (answer["Entries"][0]["EventId"], {"n": 1}, "2026-11-21T00:00:00Z"))


@case("TestEventPattern", (lambda: cloud.test_event_pattern(EventPattern="{", Event="{}"), "InvalidEventPatternException", 400))
def test_event_pattern():
    event = {"id": "1", "account": ACCOUNT, "source": "shop", "time": "2026-11-21T19:00:00Z", "region": "us-east-1", "resources": [], "detail-type": "x"}
    for pattern, matches in (('{"source":[{"prefix":"sh"}]}', True), ('{"source":["bank"]}', False)):
        equal(cloud.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"], matches)


def archive(name):
    return ground.create_archive(ArchiveName=name, EventSourceArn=bus(name))["ArchiveArn"]


def replay(name, **changed):
    given = {"ReplayName": name, "EventSourceArn": archive(name), "Destination": {"Arn": arn(f"event-bus/{name}")}}
    return {**given, "EventStartTime": datetime.fromtimestamp(0, timezone.utc), "EventEndTime": datetime.fromtimestamp(1, timezone.utc), **changed}


def until_replayed(name):
    while True:
        state = ground.describe_replay(ReplayName=name)["State"]
        if state not in ("STARTING", "RUNNING", "CANCELLING"):
            return state


@case("CreateArchive", (lambda: cloud.create_archive(ArchiveName="x", EventSourceArn=arn("event-bus/none")), *NOT_THERE))
def create_archive():
    equal(cloud.create_archive(ArchiveName="archived", EventSourceArn=bus("archived"), RetentionDays=7)["ArchiveArn"], arn("archive/archived"))


@case("UpdateArchive", (lambda: cloud.update_archive(ArchiveName="none"), *NOT_THERE))
def update_archive():
    archive("archive-updated")
    cloud.update_archive(ArchiveName="archive-updated", RetentionDays=3)
    equal(ground.describe_archive(ArchiveName="archive-updated")["RetentionDays"], 3)


@case("DeleteArchive", (lambda: cloud.delete_archive(ArchiveName="none"), *NOT_THERE))
def delete_archive():
    archive("archive-deleted")
    cloud.delete_archive(ArchiveName="archive-deleted")
    missing(lambda: ground.describe_archive(ArchiveName="archive-deleted"))


@case("DescribeArchive", (lambda: cloud.describe_archive(ArchiveName="none"), *NOT_THERE))
def describe_archive():
    archive("archive-described")
    equal(cloud.describe_archive(ArchiveName="archive-described")["EventSourceArn"], arn("event-bus/archive-described"))


@case("ListArchives", (lambda: cloud.list_archives(NextToken="***"), *INVALID))
def list_archives():
    archive("archive-listed")
    equal([each["ArchiveName"] for each in cloud.list_archives(NamePrefix="archive-listed")["Archives"]], ["archive-listed"])


@case("StartReplay", (lambda: cloud.start_replay(**replay("backwards", EventEndTime=datetime.fromtimestamp(0, timezone.utc))), *INVALID))
def start_replay():
    url = queue("replayed")
    rule("replayed", {"Id": "q", "Arn": queue_arn("replayed")})
    source = ground.create_archive(ArchiveName="replayed", EventSourceArn=arn("event-bus/replayed"))["ArchiveArn"]
    ground.put_events(Entries=[order("replayed", 5)])
    first = following(url)
    # The archive takes it on its own way.
    while ground.describe_archive(ArchiveName="replayed")["EventCount"] == 0:
        pass
    whole = {"EventStartTime": datetime.fromtimestamp(0, timezone.utc), "EventEndTime": datetime(2100, 1, 1, tzinfo=timezone.utc)}
    cloud.start_replay(ReplayName="replayed", EventSourceArn=source, Destination={"Arn": arn("event-bus/replayed")}, **whole)
    again = following(url)
    equal((again["id"], again["detail"], again["replay-name"]), (first["id"], {"n": 5}, "replayed"))


@case("CancelReplay", (lambda: cloud.cancel_replay(ReplayName="none"), *NOT_THERE))
def cancel_replay():
    given = replay("cancelled")
    # So much that it runs for long: each page is some commits.
    for _ in range(40):
        ground.put_events(Entries=[{**order("cancelled", number), "Time": datetime.fromtimestamp(0.5, timezone.utc)} for number in range(10)])
    while ground.describe_archive(ArchiveName="cancelled")["EventCount"] < 400:
        pass
    ground.start_replay(**given)
    equal(cloud.cancel_replay(ReplayName="cancelled")["State"], "CANCELLING")
    equal(until_replayed("cancelled"), "CANCELLED")


@case("DescribeReplay", (lambda: cloud.describe_replay(ReplayName="none"), *NOT_THERE))
def describe_replay():
    ground.start_replay(**replay("replay-described"))
    until_replayed("replay-described")
    equal(cloud.describe_replay(ReplayName="replay-described")["State"], "COMPLETED")


@case("ListReplays", (lambda: cloud.list_replays(NextToken="***"), *INVALID))
def list_replays():
    ground.start_replay(**replay("replay-listed"))
    until_replayed("replay-listed")
    equal([each["State"] for each in cloud.list_replays(NamePrefix="replay-listed")["Replays"]], ["COMPLETED"])


def connection(name):
    return ground.create_connection(Name=name, **BASIC)["ConnectionArn"]


def destination(name):
    given = {"InvocationEndpoint": "https://api.test/orders", "HttpMethod": "POST"}
    return ground.create_api_destination(Name=name, ConnectionArn=connection(name), **given)["ApiDestinationArn"]


def made_twice():
    connection("twice")
    cloud.create_connection(Name="twice", **BASIC)


@case("CreateConnection", (made_twice, "ResourceAlreadyExistsException", 400))
def create_connection():
    cloud.create_connection(Name="made", Description="an API", **BASIC)
    found = ground.describe_connection(Name="made")
    equal((found["ConnectionState"], found["AuthParameters"]["BasicAuthParameters"]), ("AUTHORIZED", {"Username": "ada"}))


@case("UpdateConnection", (lambda: cloud.update_connection(Name="none"), *NOT_THERE))
def update_connection():
    connection("updated")
    cloud.update_connection(Name="updated", Description="changed")
    equal(ground.describe_connection(Name="updated")["Description"], "changed")


@case("DescribeConnection", (lambda: cloud.describe_connection(Name="none"), *NOT_THERE))
def describe_connection():
    connection("described")
    equal(cloud.describe_connection(Name="described")["AuthorizationType"], "BASIC")


@case("ListConnections", (lambda: cloud.list_connections(NextToken="***"), *INVALID))
def list_connections():
    connection("listed")
    equal([each["Name"] for each in cloud.list_connections(NamePrefix="listed")["Connections"]], ["listed"])


@case("DeauthorizeConnection", (lambda: cloud.deauthorize_connection(Name="none"), *NOT_THERE))
def deauthorize_connection():
    connection("deauthorized")
    cloud.deauthorize_connection(Name="deauthorized")
    equal(ground.describe_connection(Name="deauthorized")["ConnectionState"], "DEAUTHORIZED")


@case("DeleteConnection", (lambda: cloud.delete_connection(Name="none"), *NOT_THERE))
def delete_connection():
    connection("deleted")
    cloud.delete_connection(Name="deleted")
    missing(lambda: ground.describe_connection(Name="deleted"))


def destination_of_nothing():
    nothing = arn("connection/none/11111111-1111-1111-1111-111111111111")
    cloud.create_api_destination(Name="x", ConnectionArn=nothing, InvocationEndpoint="https://api.test/", HttpMethod="POST")


@case("CreateApiDestination", (destination_of_nothing, *NOT_THERE))
def create_api_destination():
    given = {"InvocationEndpoint": "https://api.test/orders", "HttpMethod": "POST", "InvocationRateLimitPerSecond": 5}
    cloud.create_api_destination(Name="made", ConnectionArn=connection("api-made"), **given)
    equal(ground.describe_api_destination(Name="made")["InvocationRateLimitPerSecond"], 5)


@case("UpdateApiDestination", (lambda: cloud.update_api_destination(Name="none"), *NOT_THERE))
def update_api_destination():
    destination("api-updated")
    cloud.update_api_destination(Name="api-updated", HttpMethod="PUT")
    equal(ground.describe_api_destination(Name="api-updated")["HttpMethod"], "PUT")


@case("DescribeApiDestination", (lambda: cloud.describe_api_destination(Name="none"), *NOT_THERE))
def describe_api_destination():
    destination("api-described")
    equal(cloud.describe_api_destination(Name="api-described")["ApiDestinationState"], "ACTIVE")


@case("ListApiDestinations", (lambda: cloud.list_api_destinations(NextToken="***"), *INVALID))
def list_api_destinations():
    destination("api-listed")
    equal([each["Name"] for each in cloud.list_api_destinations(NamePrefix="api-listed")["ApiDestinations"]], ["api-listed"])


@case("DeleteApiDestination", (lambda: cloud.delete_api_destination(Name="none"), *NOT_THERE))
def delete_api_destination():
    destination("api-deleted")
    cloud.delete_api_destination(Name="api-deleted")
    missing(lambda: ground.describe_api_destination(Name="api-deleted"))


run("events")
