"""SQS by boto3, in the protocol that it speaks today; the older query form is in test/api/sqs."""

import json

from stage import ACCOUNT, aws, case, equal, run, stage

cloud, ground = aws["sqs"], stage["sqs"]
NOT_THERE = ("AWS.SimpleQueueService.NonExistentQueue", 400)
INVALID = ("InvalidParameterValue", 400)
NOWHERE = f"http://127.0.0.1:1/{ACCOUNT}/nowhere"


def arn(name):
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def queue(name, **attributes):
    return ground.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def take(url, count=10, **more):
    return ground.receive_message(QueueUrl=url, MaxNumberOfMessages=count, WaitTimeSeconds=1, **more).get("Messages", [])


def in_flight(name, *bodies):
    url = queue(name)
    for body in bodies:
        ground.send_message(QueueUrl=url, MessageBody=body)
    return url, [message["ReceiptHandle"] for message in take(url)]


def attributes(url, *names):
    return ground.get_queue_attributes(QueueUrl=url, AttributeNames=list(names) or ["All"])["Attributes"]


def with_dead_letter(name):
    queue(f"{name}-dead")
    redrive = json.dumps({"deadLetterTargetArn": arn(f"{name}-dead"), "maxReceiveCount": "1"})
    url = queue(name, RedrivePolicy=redrive, VisibilityTimeout="0")
    ground.send_message(QueueUrl=url, MessageBody="dead")
    for _ in range(2):
        ground.receive_message(QueueUrl=url)
    return url


def until_moved(source, status):
    while True:
        task = ground.list_message_move_tasks(SourceArn=source)["Results"][0]
        if task["Status"] == status and task["ApproximateNumberOfMessagesMoved"] == 1:
            return


def made_otherwise():
    queue("made-twice", DelaySeconds="1")
    cloud.create_queue(QueueName="made-twice", Attributes={"DelaySeconds": "2"})


@case("CreateQueue", (made_otherwise, "QueueAlreadyExists", 400))
def create_queue():
    url = cloud.create_queue(QueueName="made", Attributes={"VisibilityTimeout": "5"}, tags={"a": "b"})["QueueUrl"]
    equal((attributes(url)["VisibilityTimeout"], ground.list_queue_tags(QueueUrl=url)["Tags"]), ("5", {"a": "b"}))
    equal(cloud.create_queue(QueueName="made")["QueueUrl"], url)


@case("DeleteQueue", (lambda: cloud.delete_queue(QueueUrl=NOWHERE), *NOT_THERE))
def delete_queue():
    url = queue("deleted")
    cloud.delete_queue(QueueUrl=url)
    try:
        ground.send_message(QueueUrl=url, MessageBody="late")
    except ground.exceptions.QueueDoesNotExist as error:
        equal(error.response["Error"]["QueryErrorCode"], "QueueDoesNotExist")


@case("GetQueueUrl", (lambda: cloud.get_queue_url(QueueName="nowhere"), *NOT_THERE))
def get_queue_url():
    queue("found")
    assert cloud.get_queue_url(QueueName="found", QueueOwnerAWSAccountId=ACCOUNT)["QueueUrl"].endswith(f"/{ACCOUNT}/found")


@case("ListQueues", (lambda: cloud.list_queues(NextToken="***"), *INVALID))
def list_queues():
    for name in ("listed-a", "listed-b", "listed-c"):
        queue(name)
    pages = cloud.get_paginator("list_queues").paginate(QueueNamePrefix="listed-", PaginationConfig={"PageSize": 2})
    equal([url.rsplit("/", 1)[1] for page in pages for url in page["QueueUrls"]], ["listed-a", "listed-b", "listed-c"])


@case("GetQueueAttributes", (lambda: cloud.get_queue_attributes(QueueUrl=queue("asked"), AttributeNames=["Colour"]), "InvalidAttributeName", 400))
def get_queue_attributes():
    url = queue("asked.fifo", FifoQueue="true")
    found = cloud.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "FifoQueue", "DeduplicationScope", "Policy"])["Attributes"]
    equal(found, {"QueueArn": arn("asked.fifo"), "FifoQueue": "true", "DeduplicationScope": "queue"})


def redriven_to(target):
    redrive = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 3})
    cloud.set_queue_attributes(QueueUrl=queue("set"), Attributes={"RedrivePolicy": redrive})


@case("SetQueueAttributes", (lambda: redriven_to(arn("missing")), *INVALID))
def set_queue_attributes():
    url = queue("set")
    queue("set-dead")
    redriven_to(arn("set-dead"))
    equal(json.loads(attributes(url)["RedrivePolicy"]), {"deadLetterTargetArn": arn("set-dead"), "maxReceiveCount": 3})
    ground.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert "RedrivePolicy" not in attributes(url)


def purged_twice():
    url = queue("purged-twice")
    for _ in range(2):
        cloud.purge_queue(QueueUrl=url)


@case("PurgeQueue", (purged_twice, "AWS.SimpleQueueService.PurgeQueueInProgress", 403))
def purge_queue():
    url = queue("purged")
    ground.send_message(QueueUrl=url, MessageBody="x")
    cloud.purge_queue(QueueUrl=url)
    equal(attributes(url)["ApproximateNumberOfMessages"], "0")


@case("ListDeadLetterSourceQueues", (lambda: cloud.list_dead_letter_source_queues(QueueUrl=NOWHERE), *NOT_THERE))
def list_dead_letter_source_queues():
    url = with_dead_letter("sources")
    found = cloud.list_dead_letter_source_queues(QueueUrl=f"{url}-dead")["queueUrls"]
    equal([each.rsplit("/", 1)[1] for each in found], ["sources"])


@case("TagQueue", (lambda: cloud.tag_queue(QueueUrl=NOWHERE, Tags={"a": "b"}), *NOT_THERE))
def tag_queue():
    url = queue("tagged")
    cloud.tag_queue(QueueUrl=url, Tags={"a": "1"})
    equal(ground.list_queue_tags(QueueUrl=url)["Tags"], {"a": "1"})


@case("UntagQueue", (lambda: cloud.untag_queue(QueueUrl=NOWHERE, TagKeys=["a"]), *NOT_THERE))
def untag_queue():
    url = queue("untagged")
    ground.tag_queue(QueueUrl=url, Tags={"a": "1", "b": "2"})
    cloud.untag_queue(QueueUrl=url, TagKeys=["a"])
    equal(ground.list_queue_tags(QueueUrl=url)["Tags"], {"b": "2"})


@case("ListQueueTags", (lambda: cloud.list_queue_tags(QueueUrl=NOWHERE), *NOT_THERE))
def list_queue_tags():
    assert "Tags" not in cloud.list_queue_tags(QueueUrl=queue("list-tags"))


def permitted(url, label="others"):
    cloud.add_permission(QueueUrl=url, Label=label, AWSAccountIds=["111111111111"], Actions=["SendMessage", "ReceiveMessage"])


@case("AddPermission", (lambda: permitted(queue("shared")), *INVALID))
def add_permission():
    url = queue("shared")
    permitted(url)
    equal([each["Sid"] for each in json.loads(attributes(url)["Policy"])["Statement"]], ["others"])


@case("RemovePermission", (lambda: cloud.remove_permission(QueueUrl=queue("shared"), Label="nobody"), *INVALID))
def remove_permission():
    url = queue("unshared")
    permitted(url, "a")
    permitted(url, "b")
    cloud.remove_permission(QueueUrl=url, Label="a")
    equal([each["Sid"] for each in json.loads(attributes(url)["Policy"])["Statement"]], ["b"])


@case("SendMessage", (lambda: cloud.send_message(QueueUrl=queue("sent"), MessageBody="a\u0001b"), "InvalidMessageContents", 400))
def send_message():
    url = queue("sent")
    sent = cloud.send_message(
        QueueUrl=url,
        MessageBody="héllo & <you>",
        MessageAttributes={"text": {"DataType": "String", "StringValue": "€"}, "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}},
    )
    got = take(url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["AWSTraceHeader"])[0]
    equal((got["MessageId"], got["MD5OfBody"], got["MD5OfMessageAttributes"]), (sent["MessageId"], sent["MD5OfMessageBody"], sent["MD5OfMessageAttributes"]))
    equal((got["Body"], got["MessageAttributes"]["bytes"]["BinaryValue"]), ("héllo & <you>", b"\x00\xff"))


def too_long_together():
    entries = [{"Id": str(index), "MessageBody": "x" * 600_000} for index in range(2)]
    cloud.send_message_batch(QueueUrl=queue("sent-batch"), Entries=entries)


@case("SendMessageBatch", (too_long_together, "AWS.SimpleQueueService.BatchRequestTooLong", 400))
def send_message_batch():
    url = queue("sent-batch.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    entries = [{"Id": "a", "MessageBody": "1", "MessageGroupId": "g"}, {"Id": "b", "MessageBody": "2"}]
    answer = cloud.send_message_batch(QueueUrl=url, Entries=entries)
    equal([each["Id"] for each in answer["Successful"]], ["a"])
    equal([(each["Id"], each["Code"], each["SenderFault"]) for each in answer["Failed"]], [("b", "InvalidParameterValue", True)])


@case("ReceiveMessage", (lambda: cloud.receive_message(QueueUrl=queue("received"), WaitTimeSeconds=21), *INVALID))
def receive_message():
    url = queue("received")
    assert "Messages" not in cloud.receive_message(QueueUrl=url)
    ground.send_message(QueueUrl=url, MessageBody="x")
    got = cloud.receive_message(QueueUrl=url, AttributeNames=["All"], VisibilityTimeout=0)["Messages"][0]
    equal(sorted(got["Attributes"]), ["ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "SenderId", "SentTimestamp"])


@case("DeleteMessage", (lambda: cloud.delete_message(QueueUrl=queue("deleted-from"), ReceiptHandle="made up"), "ReceiptHandleIsInvalid", 404))
def delete_message():
    url, handles = in_flight("deleted-from", "a")
    for _ in range(2):
        cloud.delete_message(QueueUrl=url, ReceiptHandle=handles[0])
    equal(attributes(url)["ApproximateNumberOfMessagesNotVisible"], "0")


def batch_with(identifier):
    cloud.delete_message_batch(QueueUrl=queue("deleted-batch"), Entries=[{"Id": identifier, "ReceiptHandle": "x"}])


@case("DeleteMessageBatch", (lambda: batch_with("no spaces"), "AWS.SimpleQueueService.InvalidBatchEntryId", 400))
def delete_message_batch():
    url, handles = in_flight("deleted-batch", "a", "b")
    answer = cloud.delete_message_batch(QueueUrl=url, Entries=[{"Id": str(index), "ReceiptHandle": each} for index, each in enumerate(handles)])
    equal([each["Id"] for each in answer["Successful"]], ["0", "1"])


def changed_late():
    url, handles = in_flight("changed-late", "a")
    for _ in range(2):
        cloud.change_message_visibility(QueueUrl=url, ReceiptHandle=handles[0], VisibilityTimeout=0)


@case("ChangeMessageVisibility", (changed_late, "AWS.SimpleQueueService.MessageNotInflight", 400))
def change_message_visibility():
    url, handles = in_flight("changed", "a")
    cloud.change_message_visibility(QueueUrl=url, ReceiptHandle=handles[0], VisibilityTimeout=0)
    equal(len(take(url)), 1)


@case("ChangeMessageVisibilityBatch", (lambda: cloud.change_message_visibility_batch(QueueUrl=queue("changed"), Entries=[]), "AWS.SimpleQueueService.EmptyBatchRequest", 400))
def change_message_visibility_batch():
    url, handles = in_flight("changed-batch", "a")
    entries = [{"Id": "a", "ReceiptHandle": handles[0], "VisibilityTimeout": 60}, {"Id": "b", "ReceiptHandle": handles[0], "VisibilityTimeout": 43_201}]
    answer = cloud.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    equal(([each["Id"] for each in answer["Successful"]], [(each["Id"], each["Code"]) for each in answer["Failed"]]), (["a"], [("b", "InvalidParameterValue")]))


@case("StartMessageMoveTask", (lambda: cloud.start_message_move_task(SourceArn=arn("nowhere")), "ResourceNotFoundException", 404))
def start_message_move_task():
    url = with_dead_letter("moved")
    cloud.start_message_move_task(SourceArn=arn("moved-dead"))
    equal(ground.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"], "dead")


@case("ListMessageMoveTasks", (lambda: cloud.list_message_move_tasks(SourceArn=arn("nowhere")), "ResourceNotFoundException", 404))
def list_message_move_tasks():
    with_dead_letter("move-listed")
    ground.start_message_move_task(SourceArn=arn("move-listed-dead"))
    until_moved(arn("move-listed-dead"), "COMPLETED")
    equal(cloud.list_message_move_tasks(SourceArn=arn("move-listed-dead"))["Results"][0]["ApproximateNumberOfMessagesToMove"], 1)


@case("CancelMessageMoveTask", (lambda: cloud.cancel_message_move_task(TaskHandle="made up"), *INVALID))
def cancel_message_move_task():
    url = with_dead_letter("move-cancelled")
    queue("move-cancelled-to")
    for body in "abc":
        ground.send_message(QueueUrl=f"{url}-dead", MessageBody=body)
    source = arn("move-cancelled-dead")
    task = ground.start_message_move_task(SourceArn=source, DestinationArn=arn("move-cancelled-to"), MaxNumberOfMessagesPerSecond=1)
    until_moved(source, "RUNNING")
    equal(cloud.cancel_message_move_task(TaskHandle=task["TaskHandle"])["ApproximateNumberOfMessagesMoved"], 1)


run("sqs")
