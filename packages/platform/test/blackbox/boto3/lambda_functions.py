"""Lambda by boto3: functions, versions, aliases, concurrency."""

import base64
import json
import re
import urllib.request

from stage import ACCOUNT, ROLE, active, aws, call, case, client, equal, function, python, recorded, refuses, stage, updated, zipped

OLD_REVISION = "11111111-2222-3333-4444-555555555555"
cloud, ground = aws["lambda"], stage["lambda"]
NOT_FOUND = ("ResourceNotFoundException", 404)


def arn(name):
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"


def nowhere(method, **more):
    return (lambda: getattr(cloud, method)(FunctionName="nowhere", **more), *NOT_FOUND)


def published(name, **more):
    return function(name, Publish=True, **more)


def aliased(name):
    published(name)
    ground.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def taken():
    cloud.create_function(FunctionName=function("taken"), Runtime="python3.12", Handler="app.handler", Role=ROLE, Code={"ZipFile": zipped({"app.py": ""})})


@case("CreateFunction", (taken, "ResourceConflictException", 409))
def create_function():
    body = "return [os.environ['GREETING'], context.memory_limit_in_mb, context.function_version, event]"
    made = cloud.create_function(
        FunctionName="create-function", Runtime="python3.12", Handler="app.handler", Role=ROLE, MemorySize=256, Timeout=7, Publish=True,
        Environment={"Variables": {"GREETING": "hello"}}, Tags={"team": "blue"}, Code={"ZipFile": zipped(python(body))},
    )
    equal((made["State"], made["Version"]), ("Pending", "1"))
    active("create-function")
    equal(call("create-function", {"a": 1}), ["hello", "256", "$LATEST", {"a": 1}])


@case("UpdateFunctionCode", (lambda: cloud.update_function_code(FunctionName=function("code-revision"), RevisionId=OLD_REVISION, ZipFile=zipped({"app.py": ""})), "PreconditionFailedException", 412))
def update_function_code():
    name, archive = function("update-code"), zipped(python("return 'changed'"))
    tried = ground.update_function_code(FunctionName=name, ZipFile=archive, DryRun=True)
    equal(call(name), name)
    revision = ground.get_function_configuration(FunctionName=name)["RevisionId"]
    changed = cloud.update_function_code(FunctionName=name, ZipFile=archive, RevisionId=revision, Publish=True)
    equal((changed["CodeSha256"], changed["Version"]), (tried["CodeSha256"], "1"))
    updated(name)
    equal((call(name), call(name, Qualifier="1")), ("changed", "changed"))


@case("UpdateFunctionConfiguration", (lambda: cloud.update_function_configuration(FunctionName=function("configuration-revision"), RevisionId=OLD_REVISION, Timeout=5), "PreconditionFailedException", 412))
def update_function_configuration():
    name = function("update-configuration", python("return os.environ.get('ANSWER')"))
    equal(call(name), None)
    cloud.update_function_configuration(FunctionName=name, Environment={"Variables": {"ANSWER": "yes"}})
    updated(name)
    equal(call(name), "yes")


@case("GetFunction", nowhere("get_function"))
def get_function():
    read = cloud.get_function(FunctionName=function("get-function", Tags={"team": "red"}))
    equal((read["Configuration"]["State"], read["Tags"]), ("Active", {"team": "red"}))
    with urllib.request.urlopen(read["Code"]["Location"]) as answer:
        equal(answer.read(), zipped(python("return 'get-function'")))


@case("GetFunctionConfiguration", nowhere("get_function_configuration"))
def get_function_configuration():
    equal(cloud.get_function_configuration(FunctionName=function("get-configuration", Timeout=11))["Timeout"], 11)


@case("ListFunctions", (lambda: cloud.list_functions(MaxItems=10001), "InvalidParameterValueException", 400))
def list_functions():
    away = client("lambda", region_name="eu-west-1")
    for name in ("list-a", "list-b", "list-c"):
        function(name, functions=away)
    pages = recorded("lambda", region_name="eu-west-1").get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    equal([each["FunctionName"] for page in pages for each in page["Functions"]], ["list-a", "list-b", "list-c"])


@case("DeleteFunction", nowhere("delete_function"))
def delete_function():
    name = function("delete-function")
    cloud.delete_function(FunctionName=name)
    refuses(lambda: ground.get_function(FunctionName=name), *NOT_FOUND)


@case("PutFunctionRecursionConfig", nowhere("put_function_recursion_config", RecursiveLoop="Allow"))
def put_function_recursion_config():
    name = function("put-recursion")
    cloud.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    equal(ground.get_function_recursion_config(FunctionName=name)["RecursiveLoop"], "Allow")


@case("GetFunctionRecursionConfig", nowhere("get_function_recursion_config"))
def get_function_recursion_config():
    equal(cloud.get_function_recursion_config(FunctionName=function("get-recursion"))["RecursiveLoop"], "Terminate")


@case("GetFunctionCodeSigningConfig", nowhere("get_function_code_signing_config"))
def get_function_code_signing_config():
    equal(cloud.get_function_code_signing_config(FunctionName=function("code-signing"))["FunctionName"], "code-signing")


def stranger():
    recorded("lambda", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="guessed").get_account_settings()


@case("GetAccountSettings", (stranger, "UnrecognizedClientException", 403))
def get_account_settings():
    away = client("lambda", region_name="ap-south-1")
    function("counted", functions=away)
    away.put_function_concurrency(FunctionName="counted", ReservedConcurrentExecutions=250)
    read = recorded("lambda", region_name="ap-south-1").get_account_settings()
    equal((read["AccountUsage"]["FunctionCount"], read["AccountLimit"]["UnreservedConcurrentExecutions"]), (1, 750))


@case("Invoke", nowhere("invoke"))
def invoke():
    published("invoke", files=python("print('seen'); return [event, context.client_context.custom]"))
    context = base64.b64encode(json.dumps({"custom": {"from": "test"}}).encode()).decode()
    answer = cloud.invoke(FunctionName="invoke", Qualifier="1", LogType="Tail", ClientContext=context, Payload=b'{"n":1}')
    equal((answer["StatusCode"], answer["ExecutedVersion"], "FunctionError" in answer), (200, "1", False))
    equal(json.loads(answer["Payload"].read()), [{"n": 1}, {"from": "test"}])
    assert re.match(r"START RequestId: \S+ Version: 1\nseen\nEND .*REPORT ", base64.b64decode(answer["LogResult"]).decode(), re.S)
    equal(ground.invoke(FunctionName="invoke", InvocationType="DryRun")["StatusCode"], 204)


@case("InvokeWithResponseStream", nowhere("invoke_with_response_stream"))
def invoke_with_response_stream():
    answer = cloud.invoke_with_response_stream(FunctionName=function("invoke-stream"), LogType="Tail")
    equal(answer["ResponseStreamContentType"], "application/vnd.amazon.eventstream")
    events = list(answer["EventStream"])
    equal(b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event), b'"invoke-stream"')
    assert b"REPORT" in base64.b64decode(events[-1]["InvokeComplete"]["LogResult"])


@case("PublishVersion", (lambda: cloud.publish_version(FunctionName=function("publish-revision"), RevisionId=OLD_REVISION), "PreconditionFailedException", 412))
def publish_version():
    equal(cloud.publish_version(FunctionName=function("publish"), Description="first")["Version"], "1")
    stage["lambda"].get_waiter("published_version_active").wait(FunctionName="publish", Qualifier="1", WaiterConfig={"Delay": 0.02, "MaxAttempts": 1500})
    equal(ground.invoke(FunctionName="publish", Qualifier="1")["ExecutedVersion"], "1")


@case("ListVersionsByFunction", nowhere("list_versions_by_function"))
def list_versions_by_function():
    read = cloud.list_versions_by_function(FunctionName=published("list-versions"))
    equal([each["Version"] for each in read["Versions"]], ["$LATEST", "1"])


@case("CreateAlias", (lambda: cloud.create_alias(FunctionName=aliased("alias-taken"), Name="live", FunctionVersion="1"), "ResourceConflictException", 409))
def create_alias():
    name = published("create-alias")
    cloud.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    equal(ground.invoke(FunctionName=f"{name}:live")["ExecutedVersion"], "1")


@case("UpdateAlias", (lambda: cloud.update_alias(FunctionName=aliased("alias-revision"), Name="live", RevisionId=OLD_REVISION), "PreconditionFailedException", 412))
def update_alias():
    name = aliased("update-alias")
    ground.update_function_configuration(FunctionName=name, Timeout=9)
    updated(name)
    ground.publish_version(FunctionName=name)
    cloud.update_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
    equal(ground.get_alias(FunctionName=name, Name="live")["RoutingConfig"], {"AdditionalVersionWeights": {"2": 1.0}})
    equal(ground.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"], "2")


@case("GetAlias", (lambda: cloud.get_alias(FunctionName=function("no-alias"), Name="live"), *NOT_FOUND))
def get_alias():
    equal(cloud.get_alias(FunctionName=aliased("get-alias"), Name="live")["FunctionVersion"], "1")


@case("ListAliases", nowhere("list_aliases"))
def list_aliases():
    equal([each["Name"] for each in cloud.list_aliases(FunctionName=aliased("list-aliases"))["Aliases"]], ["live"])


@case("DeleteAlias", nowhere("delete_alias", Name="live"))
def delete_alias():
    name = aliased("delete-alias")
    cloud.delete_alias(FunctionName=name, Name="live")
    refuses(lambda: ground.get_alias(FunctionName=name, Name="live"), *NOT_FOUND)


@case("PutFunctionConcurrency", (lambda: cloud.put_function_concurrency(FunctionName=function("reserve-all"), ReservedConcurrentExecutions=1000), "InvalidParameterValueException", 400))
def put_function_concurrency():
    name = function("reserve")
    cloud.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    refused = refuses(lambda: ground.invoke(FunctionName=name), "TooManyRequestsException", 429)
    equal(refused["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded")


@case("GetFunctionConcurrency", nowhere("get_function_concurrency"))
def get_function_concurrency():
    name = function("get-reserved")
    ground.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    equal(cloud.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"], 3)


@case("DeleteFunctionConcurrency", nowhere("delete_function_concurrency"))
def delete_function_concurrency():
    name = function("unreserve")
    ground.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    cloud.delete_function_concurrency(FunctionName=name)
    equal(call(name), name)


def provisioned(name):
    published(name)
    ground.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    until_provisioned(name)
    return name


def until_provisioned(name):
    """Asks until the instance is there; the time bound of the test ends a wait that never does."""
    while ground.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")["Status"] != "READY":
        pass


@case("PutProvisionedConcurrencyConfig", (lambda: cloud.put_provisioned_concurrency_config(FunctionName=function("latest"), Qualifier="$LATEST", ProvisionedConcurrentExecutions=1), "InvalidParameterValueException", 400))
def put_provisioned_concurrency_config():
    equal(cloud.put_provisioned_concurrency_config(FunctionName=published("provision"), Qualifier="1", ProvisionedConcurrentExecutions=1)["Status"], "IN_PROGRESS")
    until_provisioned("provision")


@case("GetProvisionedConcurrencyConfig", (lambda: cloud.get_provisioned_concurrency_config(FunctionName=published("unprovided"), Qualifier="1"), "ProvisionedConcurrencyConfigNotFoundException", 404))
def get_provisioned_concurrency_config():
    equal(cloud.get_provisioned_concurrency_config(FunctionName=provisioned("get-provisioned"), Qualifier="1")["AvailableProvisionedConcurrentExecutions"], 1)


@case("ListProvisionedConcurrencyConfigs", nowhere("list_provisioned_concurrency_configs"))
def list_provisioned_concurrency_configs():
    read = cloud.list_provisioned_concurrency_configs(FunctionName=provisioned("list-provisioned"))
    equal([each["FunctionArn"] for each in read["ProvisionedConcurrencyConfigs"]], [f"{arn('list-provisioned')}:1"])


@case("DeleteProvisionedConcurrencyConfig", nowhere("delete_provisioned_concurrency_config", Qualifier="1"))
def delete_provisioned_concurrency_config():
    name = provisioned("unprovision")
    cloud.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    refuses(lambda: ground.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1"), "ProvisionedConcurrencyConfigNotFoundException", 404)
