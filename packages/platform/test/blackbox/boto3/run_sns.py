"""SNS by boto3: topics, subscriptions, messages; queues get them, and a local HTTP endpoint agrees."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import urlopen

from stage import ACCOUNT, aws, case, equal, run, stage

cloud, ground, queues = aws["sns"], stage["sns"], stage["sqs"]
NOT_THERE = ("NotFound", 404)
INVALID = ("InvalidParameter", 400)


def arn(name):
    return f"arn:aws:sns:us-east-1:{ACCOUNT}:{name}"


def topic(name, **attributes):
    return ground.create_topic(Name=name, Attributes=attributes)["TopicArn"]


def queue(name, **attributes):
    url = queues.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    queue_arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, queue_arn


def reached(name, **attributes):
    """A topic with one queue behind it, which gets what was published as it is."""
    fifo = name.endswith(".fifo")
    topic_arn = topic(name, **({"FifoTopic": "true"} if fifo else {}))
    url, queue_arn = queue(name, **({"FifoQueue": "true"} if fifo else {}))
    settings = {"RawMessageDelivery": "true", **attributes}
    subscription = ground.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, Attributes=settings)["SubscriptionArn"]
    return topic_arn, subscription, url


def take(url, count):
    found = []
    while len(found) < count:
        answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20, MessageAttributeNames=["All"])
        assert "Messages" in answer, f"{len(found)} of {count} messages came"
        for message in answer["Messages"]:
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message)
    return found


class Endpoint(HTTPServer):
    """An HTTP endpoint that keeps what it gets."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.got, self.came = [], threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook"

    def next(self, kind):
        """Waits for the first message of that type."""
        with self.came:
            assert self.came.wait_for(lambda: any(each["Type"] == kind for each in self.got), 20), f"no {kind} came"
            return next(each for each in self.got if each["Type"] == kind)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        document = json.loads(self.rfile.read(int(self.headers["content-length"])))
        equal(self.headers["x-amz-sns-message-type"], document["Type"])
        self.send_response(200)
        self.end_headers()
        with self.server.came:
            self.server.got.append(document)
            self.server.came.notify_all()

    def log_message(self, *_):
        pass


def made_otherwise():
    topic("made-twice", DisplayName="one")
    cloud.create_topic(Name="made-twice", Attributes={"DisplayName": "two"})


@case("CreateTopic", (made_otherwise, *INVALID))
def create_topic():
    made = cloud.create_topic(Name="made", Attributes={"DisplayName": "Made"}, Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    equal(made, arn("made"))
    equal(ground.get_topic_attributes(TopicArn=made)["Attributes"]["DisplayName"], "Made")
    equal(cloud.create_topic(Name="made")["TopicArn"], made)


@case("DeleteTopic", (lambda: cloud.delete_topic(TopicArn="no-arn"), *INVALID))
def delete_topic():
    cloud.delete_topic(TopicArn=topic("deleted"))
    try:
        ground.publish(TopicArn=arn("deleted"), Message="late")
        raise AssertionError("published to a topic that was deleted")
    except ground.exceptions.NotFoundException as error:
        equal(error.response["Error"]["Message"], "Topic does not exist")


@case("ListTopics", (lambda: cloud.list_topics(NextToken="made up"), *INVALID))
def list_topics():
    listed = topic("listed")
    pages = cloud.get_paginator("list_topics").paginate()
    assert listed in [each["TopicArn"] for page in pages for each in page["Topics"]]


@case("GetTopicAttributes", (lambda: cloud.get_topic_attributes(TopicArn=arn("nowhere")), *NOT_THERE))
def get_topic_attributes():
    found = cloud.get_topic_attributes(TopicArn=topic("read.fifo", FifoTopic="true"))["Attributes"]
    equal((found["Owner"], found["FifoTopic"], found["SubscriptionsConfirmed"]), (ACCOUNT, "true", "0"))


@case(
    "SetTopicAttributes",
    (lambda: cloud.set_topic_attributes(TopicArn=topic("set"), AttributeName="Colour", AttributeValue="red"), *INVALID),
)
def set_topic_attributes():
    cloud.set_topic_attributes(TopicArn=topic("set"), AttributeName="DisplayName", AttributeValue="Set")
    equal(ground.get_topic_attributes(TopicArn=arn("set"))["Attributes"]["DisplayName"], "Set")


@case("Subscribe", (lambda: cloud.subscribe(TopicArn=topic("mail"), Protocol="email", Endpoint="a@example.com"), *INVALID))
def subscribe():
    topic_arn = topic("subscribed")
    url, queue_arn = queue("subscribed")
    made = cloud.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, Attributes={"FilterPolicy": '{"kind":["wanted"]}'})
    assert made["SubscriptionArn"].startswith(f"{topic_arn}:")
    ground.publish(TopicArn=topic_arn, Message="not this")
    ground.publish(TopicArn=topic_arn, Message="this", MessageAttributes={"kind": {"DataType": "String", "StringValue": "wanted"}})
    document = json.loads(take(url, 1)[0]["Body"])
    equal((document["Type"], document["Message"], document["TopicArn"]), ("Notification", "this", topic_arn))
    certificate = urlopen(document["SigningCertURL"]).read()
    assert certificate.startswith(b"-----BEGIN CERTIFICATE-----"), certificate


@case("ConfirmSubscription", (lambda: cloud.confirm_subscription(TopicArn=topic("hooked"), Token="made up"), *INVALID))
def confirm_subscription():
    endpoint, topic_arn = Endpoint(), topic("hooked")
    try:
        equal(ground.subscribe(TopicArn=topic_arn, Protocol="http", Endpoint=endpoint.url)["SubscriptionArn"], "pending confirmation")
        asked = endpoint.next("SubscriptionConfirmation")
        subscription = cloud.confirm_subscription(TopicArn=topic_arn, Token=asked["Token"])["SubscriptionArn"]
        # The link in the message does the same, without a signature.
        assert subscription in urlopen(asked["SubscribeURL"]).read().decode()
        ground.publish(TopicArn=topic_arn, Message="hello")
        told = endpoint.next("Notification")
        equal(told["Message"], "hello")
        urlopen(told["UnsubscribeURL"]).read()
        endpoint.next("UnsubscribeConfirmation")
        equal(ground.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"], [])
    finally:
        endpoint.shutdown()
        endpoint.server_close()


@case("Unsubscribe", (lambda: cloud.unsubscribe(SubscriptionArn="PendingConfirmation"), *INVALID))
def unsubscribe():
    topic_arn, subscription, _ = reached("ended")
    cloud.unsubscribe(SubscriptionArn=subscription)
    equal(ground.get_topic_attributes(TopicArn=topic_arn)["Attributes"]["SubscriptionsDeleted"], "1")


@case("ListSubscriptions", (lambda: cloud.list_subscriptions(NextToken="made up"), *INVALID))
def list_subscriptions():
    _, subscription, _ = reached("among-all")
    pages = cloud.get_paginator("list_subscriptions").paginate()
    assert subscription in [each["SubscriptionArn"] for page in pages for each in page["Subscriptions"]]


@case("ListSubscriptionsByTopic", (lambda: cloud.list_subscriptions_by_topic(TopicArn=arn("nowhere")), *NOT_THERE))
def list_subscriptions_by_topic():
    topic_arn, subscription, _ = reached("by-topic")
    equal([each["SubscriptionArn"] for each in cloud.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]], [subscription])


def not_there():
    return f"{topic('subscribed-by-nobody')}:00000000-0000-4000-8000-000000000000"


@case("GetSubscriptionAttributes", (lambda: cloud.get_subscription_attributes(SubscriptionArn=not_there()), *NOT_THERE))
def get_subscription_attributes():
    _, subscription, _ = reached("read-subscription")
    found = cloud.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    equal((found["Protocol"], found["RawMessageDelivery"], found["PendingConfirmation"]), ("sqs", "true", "false"))


@case(
    "SetSubscriptionAttributes",
    (
        lambda: cloud.set_subscription_attributes(SubscriptionArn=reached("bad")[1], AttributeName="FilterPolicy", AttributeValue='{"a":1}'),
        *INVALID,
    ),
)
def set_subscription_attributes():
    topic_arn, subscription, url = reached("filtered")
    for name, value in (("FilterPolicyScope", "MessageBody"), ("FilterPolicy", '{"price":[{"numeric":[">",10]}]}')):
        cloud.set_subscription_attributes(SubscriptionArn=subscription, AttributeName=name, AttributeValue=value)
    for price in (10, 11):
        ground.publish(TopicArn=topic_arn, Message=json.dumps({"price": price}))
    equal(json.loads(take(url, 1)[0]["Body"]), {"price": 11})


@case("Publish", (lambda: cloud.publish(TopicArn=topic("published"), Message=""), *INVALID))
def publish():
    topic_arn, _, url = reached("published")
    attributes = {"n": {"DataType": "Number", "StringValue": "7"}, "b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    assert cloud.publish(TopicArn=topic_arn, Message="as it is", MessageAttributes=attributes)["MessageId"]
    message = take(url, 1)[0]
    equal((message["Body"], message["MessageAttributes"]), ("as it is", attributes))


@case("PublishBatch", (lambda: cloud.publish_batch(TopicArn=topic("none"), PublishBatchRequestEntries=[]), "EmptyBatchRequest", 400))
def publish_batch():
    topic_arn, _, url = reached("batched.fifo")
    entry = lambda name, **more: {"Id": name, "Message": name, "MessageGroupId": "g", "MessageDeduplicationId": name, **more}
    answer = cloud.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=[entry("a"), entry("b", Message=""), entry("c")])
    equal([each["Id"] for each in answer["Successful"]], ["a", "c"])
    equal([(each["Id"], each["Code"]) for each in answer["Failed"]], [("b", "InvalidParameter")])
    equal([message["Body"] for message in take(url, 2)], ["a", "c"])


@case(
    "AddPermission",
    (lambda: cloud.add_permission(TopicArn=topic("shared"), Label="x", AWSAccountId=["1"], ActionName=["Publish"]), *INVALID),
)
def add_permission():
    cloud.add_permission(TopicArn=topic("shared"), Label="friends", AWSAccountId=["111111111111"], ActionName=["Publish"])
    policy = json.loads(ground.get_topic_attributes(TopicArn=arn("shared"))["Attributes"]["Policy"])
    assert "friends" in [statement["Sid"] for statement in policy["Statement"]]


@case("RemovePermission", (lambda: cloud.remove_permission(TopicArn=topic("unshared"), Label="nobody"), *INVALID))
def remove_permission():
    ground.add_permission(TopicArn=topic("unshared"), Label="friends", AWSAccountId=["111111111111"], ActionName=["Publish"])
    cloud.remove_permission(TopicArn=arn("unshared"), Label="friends")


@case("TagResource", (lambda: cloud.tag_resource(ResourceArn=arn("nowhere"), Tags=[]), "ResourceNotFound", 404))
def tag_resource():
    cloud.tag_resource(ResourceArn=topic("tagged"), Tags=[{"Key": "team", "Value": "blue"}])
    equal(ground.list_tags_for_resource(ResourceArn=arn("tagged"))["Tags"], [{"Key": "team", "Value": "blue"}])


@case("UntagResource", (lambda: cloud.untag_resource(ResourceArn=arn("nowhere"), TagKeys=["a"]), "ResourceNotFound", 404))
def untag_resource():
    ground.tag_resource(ResourceArn=topic("untagged"), Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    cloud.untag_resource(ResourceArn=arn("untagged"), TagKeys=["a"])
    equal(ground.list_tags_for_resource(ResourceArn=arn("untagged"))["Tags"], [{"Key": "b", "Value": "2"}])


@case("ListTagsForResource", (lambda: cloud.list_tags_for_resource(ResourceArn=arn("nowhere")), "ResourceNotFound", 404))
def list_tags_for_resource():
    made = ground.create_topic(Name="with-tags", Tags=[{"Key": "a", "Value": "1"}])["TopicArn"]
    equal(cloud.list_tags_for_resource(ResourceArn=made)["Tags"], [{"Key": "a", "Value": "1"}])


run("sns")
