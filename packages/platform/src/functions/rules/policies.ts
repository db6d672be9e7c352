import { LambentError } from "../../base/index.ts";
import type { ResourcePolicy, ResourceStatement } from "../records.ts";
import { RESOURCE_POLICY_BYTES_MAX, STATEMENT_ID_LENGTH_MAX } from "./limits.ts";

/** A whole policy document, as it is evaluated and shown. */
export interface ResourceDocument {
  readonly Version: "2012-10-17";
  readonly Id: "default";
  readonly Statement: readonly ResourceStatement[];
}

/** The document of a policy's statements. */
export function documentOf(statements: readonly ResourceStatement[]): ResourceDocument {
  return { Version: "2012-10-17", Id: "default", Statement: statements };
}

/** `before` with one statement more. Throws `AlreadyExists`, `RevisionMismatch` or `PolicyTooLong`. */
export function withStatement(
  before: ResourcePolicy | undefined,
  statement: ResourceStatement,
  expectedRevision: string | undefined,
  revisionId: string,
): ResourcePolicy {
  if (!/^[a-zA-Z0-9-_]+$/.test(statement.Sid) || statement.Sid.length > STATEMENT_ID_LENGTH_MAX) {
    throw new LambentError("InvalidParameter", `StatementId is not 1 to ${STATEMENT_ID_LENGTH_MAX} letters, digits, - and _.`);
  }
  requirePolicyRevision(before, expectedRevision);
  const statements = before?.statements ?? [];
  if (statements.some((known) => known.Sid === statement.Sid)) {
    throw new LambentError(
      "AlreadyExists",
      `The statement id (${statement.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    );
  }
  const after = [...statements, statement];
  const bytes = Buffer.byteLength(JSON.stringify(documentOf(after)));
  if (bytes > RESOURCE_POLICY_BYTES_MAX) {
    throw new LambentError("PolicyTooLong", `The final policy size (${bytes}) is bigger than the limit (${RESOURCE_POLICY_BYTES_MAX}).`);
  }
  return { statements: after, revisionId };
}

/** `before` without the statement; undefined when it was the last. Throws `NotFound` or `RevisionMismatch`. */
export function withoutStatement(
  before: ResourcePolicy | undefined,
  sid: string,
  expectedRevision: string | undefined,
  revisionId: string,
): ResourcePolicy | undefined {
  if (before === undefined || !before.statements.some((statement) => statement.Sid === sid)) {
    throw new LambentError("NotFound", `Statement ${sid} is not found in resource policy.`);
  }
  requirePolicyRevision(before, expectedRevision);
  const statements = before.statements.filter((statement) => statement.Sid !== sid);
  return statements.length === 0 ? undefined : { statements, revisionId };
}

/** True when the policy lets `account` do `action`: enough for layers, whose statements have no conditions. */
export function sharesWith(policy: ResourcePolicy | undefined, account: string, action: string): boolean {
  const names = new Set(["*", account, `arn:aws:iam::${account}:root`]);
  return (policy?.statements ?? []).some((statement) => {
    const principals = typeof statement.Principal === "string" ? [statement.Principal] : Object.values(statement.Principal);
    return statement.Condition === undefined && statement.Action === action && principals.some((principal) => names.has(principal));
  });
}

function requirePolicyRevision(policy: ResourcePolicy | undefined, expected: string | undefined): void {
  if (expected !== undefined && expected !== policy?.revisionId) {
    throw new LambentError(
      "RevisionMismatch",
      "The RevisionId provided does not match the latest RevisionId. Call the GetPolicy API to retrieve the latest RevisionId for your resource.",
    );
  }
}
