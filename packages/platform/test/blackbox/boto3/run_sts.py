"""STS by boto3."""

from stage import ACCOUNT, aws, case, client, equal, recorded, run, stage


def stranger():
    recorded("sts", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="guessed").get_caller_identity()


@case("GetCallerIdentity", (stranger, "InvalidClientTokenId", 403))
def get_caller_identity():
    read = aws["sts"].get_caller_identity()
    equal((read["Account"], read["Arn"]), (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"))


@case("AssumeRole", (lambda: aws["sts"].assume_role(RoleArn="arn:aws:iam::1:role/short-account", RoleSessionName="session"), "ValidationError", 400))
def assume_role():
    given = aws["sts"].assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/not-made-here", RoleSessionName="session")["Credentials"]
    keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"], "aws_session_token": given["SessionToken"]}
    equal(client("sts", **keys).get_caller_identity()["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/not-made-here/session")


@case("GetSessionToken")
def get_session_token():
    given = aws["sts"].get_session_token()["Credentials"]
    keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"], "aws_session_token": given["SessionToken"]}
    equal(client("sts", **keys).get_caller_identity()["Account"], stage["sts"].get_caller_identity()["Account"])


run("sts")
