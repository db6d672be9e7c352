"""IAM by boto3: what deploy tools do with roles and policies."""

import json

from stage import ACCOUNT, aws, case, equal, refuses, run, stage

cloud, ground = aws["iam"], stage["iam"]
NO_ENTITY = ("NoSuchEntity", 404)
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
ANY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}]}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def role(name):
    ground.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    return name


@case("CreateRole", (lambda: cloud.create_role(RoleName=role("taken"), AssumeRolePolicyDocument=json.dumps(TRUST)), "EntityAlreadyExists", 409))
def create_role():
    made = cloud.create_role(RoleName="create-role", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "team", "Value": "blue"}])["Role"]
    equal(made["Arn"], f"arn:aws:iam::{ACCOUNT}:role/create-role")
    ground.get_waiter("role_exists").wait(RoleName="create-role")
    equal(ground.get_role(RoleName="create-role")["Role"]["Tags"], [{"Key": "team", "Value": "blue"}])


@case("GetRole", (lambda: cloud.get_role(RoleName="nobody"), *NO_ENTITY))
def get_role():
    equal(cloud.get_role(RoleName=role("get-role"))["Role"]["AssumeRolePolicyDocument"], TRUST)


@case("ListRoles", (lambda: cloud.list_roles(MaxItems=1001), "ValidationError", 400))
def list_roles():
    for name in ("list-a", "list-b"):
        ground.create_role(RoleName=name, Path="/listed/", AssumeRolePolicyDocument=json.dumps(TRUST))
    pages = cloud.get_paginator("list_roles").paginate(PathPrefix="/listed/", PaginationConfig={"PageSize": 1})
    equal([each["RoleName"] for page in pages for each in page["Roles"]], ["list-a", "list-b"])


@case("PutRolePolicy", (lambda: cloud.put_role_policy(RoleName=role("put-broken"), PolicyName="p", PolicyDocument="{"), "MalformedPolicyDocument", 400))
def put_role_policy():
    cloud.put_role_policy(RoleName=role("put-policy"), PolicyName="inline", PolicyDocument=json.dumps(ANY))
    equal(ground.get_role_policy(RoleName="put-policy", PolicyName="inline")["PolicyDocument"], ANY)


@case("AttachRolePolicy", (lambda: cloud.attach_role_policy(RoleName="nobody", PolicyArn=BASIC), *NO_ENTITY))
def attach_role_policy():
    cloud.attach_role_policy(RoleName=role("attach"), PolicyArn=BASIC)
    equal([each["PolicyArn"] for each in ground.list_attached_role_policies(RoleName="attach")["AttachedPolicies"]], [BASIC])


@case("CreatePolicy", (lambda: cloud.create_policy(PolicyName="create-policy", PolicyDocument=json.dumps(ANY)), "EntityAlreadyExists", 409))
def create_policy():
    arn = cloud.create_policy(PolicyName="create-policy", PolicyDocument=json.dumps(ANY))["Policy"]["Arn"]
    equal(ground.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"], ANY)


def deleted_in_use():
    ground.put_role_policy(RoleName=role("in-use"), PolicyName="p", PolicyDocument=json.dumps(ANY))
    cloud.delete_role(RoleName="in-use")


@case("DeleteRole", (deleted_in_use, "DeleteConflict", 409))
def delete_role():
    cloud.delete_role(RoleName=role("delete-role"))
    refuses(lambda: ground.get_role(RoleName="delete-role"), *NO_ENTITY, "iam")


run("iam")
