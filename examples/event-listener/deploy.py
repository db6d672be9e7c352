"""Deploys handler.py with plain boto3, as one would to AWS: only the environment says where.

    eval "$(npx lambent env)" && python3 examples/event-listener/deploy.py
"""

import io
import pathlib
import sys
import zipfile

import boto3

NAME = sys.argv[1] if len(sys.argv) > 1 else "example-event-listener-boto3"
HANDLER = pathlib.Path(__file__).with_name("handler.py")

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
    package.write(HANDLER, HANDLER.name)

functions = boto3.client("lambda")
functions.create_function(
    FunctionName=NAME,
    Runtime="python3.12",
    Role="arn:aws:iam::000000000000:role/event-listener",
    Handler="handler.lambda_handler",
    Code={"ZipFile": archive.getvalue()},
)
functions.get_waiter("function_active_v2").wait(FunctionName=NAME)
print(NAME)
