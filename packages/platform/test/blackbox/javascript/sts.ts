import assert from "node:assert/strict";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import { credentialsOf, type OperationCase } from "./cases.ts";
import { policyText, sessionOf } from "./iam-roles.ts";

/** Who am I, and sessions. */
export const stsCases: Readonly<Record<string, OperationCase>> = {
  GetCallerIdentity: {
    async does({ js }) {
      const identity = await js.sts.getCallerIdentity({});
      assert.deepEqual([identity.Account, identity.Arn], [ACCOUNT, `arn:aws:iam::${ACCOUNT}:root`]);
    },
    refuses: [
      ({ server, recorded }) => recorded({ credentials: { ...server.key, secretAccessKey: "guessed" } }).sts.getCallerIdentity({}),
      "SignatureDoesNotMatch",
      403,
    ],
  },
  AssumeRole: {
    async does({ js, stage, direct }) {
      const RoleName = "assume-me";
      const trust = policyText({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" });
      const { Role } = await stage.iam.createRole({ RoleName, AssumeRolePolicyDocument: trust });
      await stage.iam.putRolePolicy({
        RoleName,
        PolicyName: "reads",
        PolicyDocument: policyText({ Action: "lambda:ListFunctions", Resource: "*" }),
      });
      const assumed = await js.sts.assumeRole({ RoleArn: Role?.Arn, RoleSessionName: "session", DurationSeconds: 900 });
      const session = direct({ credentials: credentialsOf(assumed.Credentials) });
      assert.equal((await session.sts.getCallerIdentity({})).Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/${RoleName}/session`);
      await session.lambda.listFunctions({});
      await assert.rejects(session.lambda.getAccountSettings({}), { name: "AccessDeniedException" });
    },
    refuses: [
      async ({ stage, recorded }) => {
        const trust = policyText({ Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" });
        const { Role } = await stage.iam.createRole({ RoleName: "assume-me-not", AssumeRolePolicyDocument: trust });
        const credentials = await sessionOf({ stage }, "would-assume", { Action: "sts:AssumeRole", Resource: "*" });
        await recorded({ credentials }).sts.assumeRole({ RoleArn: Role?.Arn, RoleSessionName: "session" });
      },
      "AccessDenied",
      403,
    ],
  },
  GetSessionToken: {
    async does({ js, direct }) {
      const { Credentials } = await js.sts.getSessionToken({ DurationSeconds: 900 });
      assert.equal(
        (await direct({ credentials: credentialsOf(Credentials) }).sts.getCallerIdentity({})).Arn,
        `arn:aws:iam::${ACCOUNT}:root`,
      );
    },
    refuses: [
      async ({ stage, recorded }) => {
        const { Credentials } = await stage.sts.getSessionToken({});
        await recorded({ credentials: credentialsOf(Credentials) }).sts.getSessionToken({});
      },
      "AccessDenied",
      403,
    ],
  },
};
