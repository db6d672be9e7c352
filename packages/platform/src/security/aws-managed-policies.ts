import type { ManagedPolicy } from "./role-model.ts";
import { roleIdOfArn } from "./principal.ts";

/**
 * Policies of AWS's own that deploy tools attach to function roles, with their documents. Others are not here, and attaching
 * one says so, because a policy that exists and allows nothing would be worse.
 */

const LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

interface Statement {
  readonly Effect: "Allow";
  readonly Action?: string | readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: string;
}

const allow = (action: string | readonly string[], resource = "*"): Statement => ({ Effect: "Allow", Action: action, Resource: resource });

const DOCUMENTS: Readonly<Record<string, readonly Statement[]>> = {
  "service-role/AWSLambdaBasicExecutionRole": [allow(LOGS)],
  "service-role/AWSLambdaVPCAccessExecutionRole": [
    allow([
      ...LOGS,
      "ec2:CreateNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:DeleteNetworkInterface",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ]),
  ],
  "service-role/AWSLambdaSQSQueueExecutionRole": [allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", ...LOGS])],
  "service-role/AWSLambdaKinesisExecutionRole": [
    allow([
      "kinesis:DescribeStream",
      "kinesis:DescribeStreamSummary",
      "kinesis:GetRecords",
      "kinesis:GetShardIterator",
      "kinesis:ListShards",
      "kinesis:ListStreams",
      "kinesis:SubscribeToShard",
      ...LOGS,
    ]),
  ],
  "service-role/AWSLambdaDynamoDBExecutionRole": [
    allow(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams", ...LOGS]),
  ],
  "service-role/AWSLambdaRole": [allow(["lambda:InvokeFunction"])],
  AWSLambdaExecute: [allow(["logs:*"], "arn:aws:logs:*:*:*"), allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::*")],
  AWSXRayDaemonWriteAccess: [
    allow([
      "xray:PutTraceSegments",
      "xray:PutTelemetryRecords",
      "xray:GetSamplingRules",
      "xray:GetSamplingTargets",
      "xray:GetSamplingStatisticSummaries",
    ]),
  ],
  AdministratorAccess: [allow("*")],
  AmazonS3FullAccess: [allow(["s3:*", "s3-object-lambda:*"])],
  AmazonS3ReadOnlyAccess: [allow(["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"])],
  AmazonSQSFullAccess: [allow(["sqs:*"])],
  AmazonSNSFullAccess: [allow(["sns:*"])],
  AmazonKinesisFullAccess: [allow("kinesis:*")],
  AWSStepFunctionsFullAccess: [allow("states:*")],
};

/** The day IAM's managed policies were announced; AWS shows one date a policy, which nobody acts on. */
const PUBLISHED_AT = Date.UTC(2015, 1, 11);

/** AWS's own policies by ARN. */
export const AWS_MANAGED_POLICIES: ReadonlyMap<string, ManagedPolicy> = new Map(
  Object.entries(DOCUMENTS).map(([pathAndName, statements]) => {
    const arn = `arn:aws:iam::aws:policy/${pathAndName}`;
    const slash = pathAndName.lastIndexOf("/");
    const document = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    return [
      arn,
      {
        account: "aws",
        name: pathAndName.slice(slash + 1),
        path: slash < 0 ? "/" : `/${pathAndName.slice(0, slash + 1)}`,
        arn,
        policyId: roleIdOfArn(arn).replace(/^AROA/, "ANPA"),
        description: undefined,
        createdAt: PUBLISHED_AT,
        updatedAt: PUBLISHED_AT,
        versions: [{ id: "v1", document, createdAt: PUBLISHED_AT }],
        defaultVersionId: "v1",
        nextVersion: 2,
        tags: {},
      },
    ] as const;
  }),
);
