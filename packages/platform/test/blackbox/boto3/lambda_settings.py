"""Lambda by boto3: permissions, URLs, event-invoke settings, tags, layers."""

import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import get_session
from lambda_functions import arn, cloud, ground, nowhere, NOT_FOUND
from stage import ACCOUNT, call, case, client, equal, function, python, recorded, refuses, zipped

FROM_TOPIC = {"StatementId": "from-topic", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:failed"
SHARED = {"StatementId": "everybody", "Action": "lambda:GetLayerVersion", "Principal": "*"}


def permitted(name):
    ground.add_permission(FunctionName=function(name), **FROM_TOPIC)
    return name


@case("AddPermission", (lambda: cloud.add_permission(FunctionName=permitted("permission-taken"), **FROM_TOPIC), "ResourceConflictException", 409))
def add_permission():
    cloud.add_permission(FunctionName=function("add-permission"), **FROM_TOPIC)
    assert '"Sid":"from-topic"' in ground.get_policy(FunctionName="add-permission")["Policy"]


@case("GetPolicy", (lambda: cloud.get_policy(FunctionName=function("no-policy")), *NOT_FOUND))
def get_policy():
    assert "sns.amazonaws.com" in cloud.get_policy(FunctionName=permitted("get-policy"))["Policy"]


@case("RemovePermission", (lambda: cloud.remove_permission(FunctionName=permitted("other-permission"), StatementId="other"), *NOT_FOUND))
def remove_permission():
    name = permitted("remove-permission")
    cloud.remove_permission(FunctionName=name, StatementId="from-topic")
    refuses(lambda: ground.get_policy(FunctionName=name), *NOT_FOUND)


def get(url, **headers):
    """Status and text of a GET; an error status is an answer too."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def signed_get(url):
    """The same, signed by botocore as it signs for Lambda."""
    request = AWSRequest("GET", url)
    SigV4Auth(get_session().get_credentials(), "lambda", "us-east-1").add_auth(request)
    return get(url, **dict(request.headers.items()))


def url_of(name, auth="NONE"):
    function(name, python("return {'statusCode': 200, 'body': event['rawPath'] + ' ' + str(event['requestContext'].get('authorizer', {}).get('iam', {}).get('accountId'))}"))
    return ground.create_function_url_config(FunctionName=name, AuthType=auth)["FunctionUrl"]


@case("CreateFunctionUrlConfig", (lambda: cloud.create_function_url_config(FunctionName=function("url-twice"), AuthType="NONE") and cloud.create_function_url_config(FunctionName="url-twice", AuthType="NONE"), "ResourceConflictException", 409))
def create_function_url_config():
    function("create-url", python("return {'statusCode': 200, 'body': str(event['requestContext']['authorizer']['iam']['accountId'])}"))
    url = cloud.create_function_url_config(FunctionName="create-url", AuthType="AWS_IAM")["FunctionUrl"]
    equal(get(url)[0], 403)
    equal(signed_get(url), (200, ACCOUNT))


@case("UpdateFunctionUrlConfig", nowhere("update_function_url_config", AuthType="NONE"))
def update_function_url_config():
    url = url_of("update-url")
    everybody = {"FunctionName": "update-url", "Principal": "*"}
    equal(get(url)[0], 403)
    ground.add_permission(**everybody, StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    ground.add_permission(**everybody, StatementId="call", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    equal(get(f"{url}a%20b"), (200, "/a b None"))
    cloud.update_function_url_config(FunctionName="update-url", AuthType="AWS_IAM")
    equal(get(url)[0], 403)
    equal(signed_get(url)[0], 200)
    ground.update_function_url_config(FunctionName="update-url", AuthType="NONE")
    ground.remove_permission(FunctionName="update-url", StatementId="call")
    equal(get(url)[0], 403)


@case("GetFunctionUrlConfig", (lambda: cloud.get_function_url_config(FunctionName=function("no-url")), *NOT_FOUND))
def get_function_url_config():
    equal(cloud.get_function_url_config(FunctionName="update-url")["AuthType"], "NONE")


@case("ListFunctionUrlConfigs", nowhere("list_function_url_configs"))
def list_function_url_configs():
    equal([each["FunctionArn"] for each in cloud.list_function_url_configs(FunctionName="update-url")["FunctionUrlConfigs"]], [arn("update-url")])


@case("DeleteFunctionUrlConfig", (lambda: cloud.delete_function_url_config(FunctionName="no-url"), *NOT_FOUND))
def delete_function_url_config():
    url = url_of("delete-url", "AWS_IAM")
    cloud.delete_function_url_config(FunctionName="delete-url")
    equal(signed_get(url)[0], 404)


def event_settings(name):
    ground.put_function_event_invoke_config(FunctionName=function(name), MaximumRetryAttempts=1)
    return name


@case("PutFunctionEventInvokeConfig", nowhere("put_function_event_invoke_config", MaximumRetryAttempts=0))
def put_function_event_invoke_config():
    destination = {"OnFailure": {"Destination": QUEUE}}
    cloud.put_function_event_invoke_config(FunctionName=function("put-event-invoke"), MaximumRetryAttempts=0, DestinationConfig=destination)
    equal(ground.get_function_event_invoke_config(FunctionName="put-event-invoke")["DestinationConfig"]["OnFailure"], {"Destination": QUEUE})


@case("UpdateFunctionEventInvokeConfig", nowhere("update_function_event_invoke_config", MaximumRetryAttempts=0))
def update_function_event_invoke_config():
    read = cloud.update_function_event_invoke_config(FunctionName=event_settings("update-event-invoke"), MaximumEventAgeInSeconds=60)
    equal((read["MaximumRetryAttempts"], read["MaximumEventAgeInSeconds"]), (1, 60))


@case("GetFunctionEventInvokeConfig", nowhere("get_function_event_invoke_config"))
def get_function_event_invoke_config():
    equal(cloud.get_function_event_invoke_config(FunctionName=event_settings("get-event-invoke"))["MaximumRetryAttempts"], 1)


@case("ListFunctionEventInvokeConfigs", nowhere("list_function_event_invoke_configs"))
def list_function_event_invoke_configs():
    read = cloud.list_function_event_invoke_configs(FunctionName=event_settings("list-event-invoke"))
    equal(len(read["FunctionEventInvokeConfigs"]), 1)


@case("DeleteFunctionEventInvokeConfig", nowhere("delete_function_event_invoke_config"))
def delete_function_event_invoke_config():
    name = event_settings("delete-event-invoke")
    cloud.delete_function_event_invoke_config(FunctionName=name)
    refuses(lambda: ground.get_function_event_invoke_config(FunctionName=name), *NOT_FOUND)


@case("TagResource", (lambda: cloud.tag_resource(Resource=arn("nowhere"), Tags={"a": "b"}), *NOT_FOUND))
def tag_resource():
    cloud.tag_resource(Resource=arn(function("tag")), Tags={"stage": "test"})
    equal(ground.get_function(FunctionName="tag")["Tags"], {"stage": "test"})


@case("UntagResource", (lambda: cloud.untag_resource(Resource=arn("nowhere"), TagKeys=["a"]), *NOT_FOUND))
def untag_resource():
    cloud.untag_resource(Resource=arn(function("untag", Tags={"one": "1", "two": "2"})), TagKeys=["one"])
    equal(ground.list_tags(Resource=arn("untag"))["Tags"], {"two": "2"})


@case("ListTags", (lambda: cloud.list_tags(Resource=arn("nowhere")), *NOT_FOUND))
def list_tags():
    equal(cloud.list_tags(Resource=arn(function("list-tags", Tags={"one": "1"})))["Tags"], {"one": "1"})


def layered(name, functions=ground):
    content = {"ZipFile": zipped({"python/greeting.py": f"TEXT = 'from {name}'", "data.txt": name})}
    functions.publish_layer_version(LayerName=name, Description=name, CompatibleRuntimes=["python3.12"], Content=content)
    return name


def shared(name):
    ground.add_layer_version_permission(LayerName=layered(name), VersionNumber=1, **SHARED)
    return name


@case("PublishLayerVersion", (lambda: cloud.publish_layer_version(LayerName="no-zip", Content={"ZipFile": b"this is no zip"}), "InvalidParameterValueException", 400))
def publish_layer_version():
    content = {"ZipFile": zipped({"python/greeting.py": "TEXT = 'from a layer'", "data.txt": "text"})}
    made = cloud.publish_layer_version(LayerName="publish-layer", CompatibleRuntimes=["python3.12"], Content=content)
    function("uses-layer", python("import greeting; return greeting.TEXT"), Layers=[made["LayerVersionArn"]])
    equal(call("uses-layer"), "from a layer")


@case("GetLayerVersion", (lambda: cloud.get_layer_version(LayerName="nowhere", VersionNumber=1), *NOT_FOUND))
def get_layer_version():
    equal(cloud.get_layer_version(LayerName=layered("get-layer"), VersionNumber=1)["Description"], "get-layer")


@case("GetLayerVersionByArn", (lambda: cloud.get_layer_version_by_arn(Arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:nowhere:1"), *NOT_FOUND))
def get_layer_version_by_arn():
    layered("by-arn")
    equal(cloud.get_layer_version_by_arn(Arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:by-arn:1")["Version"], 1)


@case("ListLayers", (lambda: cloud.list_layers(MaxItems=51), "InvalidParameterValueException", 400))
def list_layers():
    layered("a", client("lambda", region_name="eu-north-1"))
    equal([each["LayerName"] for each in recorded("lambda", region_name="eu-north-1").list_layers(CompatibleRuntime="python3.12")["Layers"]], ["a"])


@case("ListLayerVersions", (lambda: cloud.list_layer_versions(LayerName="layer-versions", MaxItems=51), "InvalidParameterValueException", 400))
def list_layer_versions():
    layered("layer-versions")
    layered("layer-versions")
    equal([each["Version"] for each in cloud.list_layer_versions(LayerName="layer-versions")["LayerVersions"]], [2, 1])


@case("DeleteLayerVersion", (lambda: cloud.delete_layer_version(LayerName="not:a:layer", VersionNumber=1), "InvalidParameterValueException", 400))
def delete_layer_version():
    cloud.delete_layer_version(LayerName=layered("delete-layer"), VersionNumber=1)
    refuses(lambda: ground.get_layer_version(LayerName="delete-layer", VersionNumber=1), *NOT_FOUND)


@case("AddLayerVersionPermission", (lambda: cloud.add_layer_version_permission(LayerName=shared("shared-twice"), VersionNumber=1, **SHARED), "ResourceConflictException", 409))
def add_layer_version_permission():
    made = cloud.add_layer_version_permission(LayerName=layered("share-layer"), VersionNumber=1, **SHARED)
    equal(ground.get_layer_version_policy(LayerName="share-layer", VersionNumber=1)["RevisionId"], made["RevisionId"])


@case("GetLayerVersionPolicy", (lambda: cloud.get_layer_version_policy(LayerName=layered("own-layer"), VersionNumber=1), *NOT_FOUND))
def get_layer_version_policy():
    assert "everybody" in cloud.get_layer_version_policy(LayerName=shared("layer-policy"), VersionNumber=1)["Policy"]


@case("RemoveLayerVersionPermission", (lambda: cloud.remove_layer_version_permission(LayerName=shared("unshare-other"), VersionNumber=1, StatementId="other"), *NOT_FOUND))
def remove_layer_version_permission():
    cloud.remove_layer_version_permission(LayerName=shared("unshare-layer"), VersionNumber=1, StatementId="everybody")
    refuses(lambda: ground.get_layer_version_policy(LayerName="unshare-layer", VersionNumber=1), *NOT_FOUND)
