import { type AppUploads, bucketPermissionId, type CurrentUpload, type UploadNames, type UploadTrigger } from "../apps/index.ts";
import { LambentError } from "../base/index.ts";
import { functionArn, type Functions, type ResourceStatement } from "../functions/index.ts";
import { type Realm, uploadText } from "../model/index.ts";
import { bucketArn, type BucketRecord, type Buckets, type NotificationRule, overlappingRules } from "../objects/index.ts";

export interface AppUploadParts {
  readonly buckets: Pick<Buckets, "find" | "get" | "create" | "update">;
  readonly functions: Pick<Functions, "policies">;
}

/** Joins `apps/` to `objects/`: an application's form in terms of a bucket's own changes. */
export function createAppUploads(parts: AppUploadParts): AppUploads {
  const { buckets } = parts;
  return {
    hasBucket: (realm, name) => buckets.find(name)?.realm.account === realm.account,
    async createBucket(realm, { name }) {
      await buckets.create(realm, name);
    },
    currentUpload: (realm, names) => currentUpload(parts, realm, names),
    putUploads: (realm, bucketName, uploads) => putUploads(parts, realm, bucketName, uploads),
    removeUpload: (realm, names) => removeUpload(parts, realm, names),
  };
}

function currentUpload({ buckets, functions }: AppUploadParts, realm: Realm, names: UploadNames): CurrentUpload | undefined {
  const record = buckets.find(names.bucketName);
  const rule = record?.realm.account === realm.account ? ruleOf(record, realm, names) : undefined;
  if (!rule) return undefined;
  const { events, prefix, suffix } = rule;
  return { ...names, options: { event: events.join(","), prefix, suffix }, permitted: statementsOf(functions, realm, names).length > 0 };
}

/** The permission comes first: a bucket never calls what would refuse it. */
async function putUploads(
  { buckets, functions }: AppUploadParts,
  realm: Realm,
  bucketName: string,
  uploads: readonly UploadTrigger[],
): Promise<void> {
  requireHere(buckets.get(bucketName), realm);
  for (const upload of uploads)
    if (statementsOf(functions, realm, upload).length === 0)
      await functions.policies.add(realm, upload.functionName, undefined, statementFor(realm, upload), undefined);
  await buckets.update(bucketName, (record) => {
    const wanted = uploads.map(({ functionName, uploadName, options }): NotificationRule => {
      const { event, prefix, suffix } = options;
      return { id: uploadName, target: functionArn(realm, functionName), events: [event], prefix, suffix };
    });
    const rules = [...record.notifications.rules.filter((rule) => !replaces(wanted, rule)), ...wanted];
    refuseOverlap(bucketName, rules);
    return { ...record, notifications: { ...record.notifications, rules } };
  });
}

/** A name that is another's is not taken from it. */
function replaces(wanted: readonly NotificationRule[], known: NotificationRule): boolean {
  const same = wanted.find(({ id }) => id === known.id);
  if (same && same.target !== known.target)
    throw new LambentError("Conflict", `A notification rule ${known.id} of the bucket is there already, for ${known.target}.`);
  return same !== undefined;
}

function refuseOverlap(bucketName: string, rules: readonly NotificationRule[]): void {
  const pair = overlappingRules(rules);
  if (!pair) return;
  const named = pair.map((rule) => `${uploadText({ bucketName, ...rule })} for ${rule.target}`);
  throw new LambentError("Conflict", `${named.join(" and ")} overlap, and of one object S3 tells only one.`);
}

/** As S3 refuses it. */
function requireHere({ name, realm: { region } }: BucketRecord, realm: Realm): void {
  if (region !== realm.region)
    throw new LambentError("InvalidParameter", `Bucket ${name} is in ${region}; a bucket calls functions of its own region.`);
}

async function removeUpload({ buckets, functions }: AppUploadParts, realm: Realm, names: UploadNames): Promise<void> {
  const { bucketName, functionName } = names;
  const record = buckets.find(bucketName);
  const known = record && ruleOf(record, realm, names);
  if (!known) return;
  const { notifications } = await buckets.update(bucketName, (before) => {
    const rules = before.notifications.rules.filter((rule) => rule.id !== known.id || rule.target !== known.target);
    return { ...before, notifications: { ...before.notifications, rules } };
  });
  if (notifications.rules.some(({ target }) => target === known.target)) return;
  for (const { Sid } of statementsOf(functions, realm, names))
    if (Sid === bucketPermissionId(bucketName)) await functions.policies.remove(realm, functionName, undefined, Sid, undefined);
}

function ruleOf({ notifications }: BucketRecord, realm: Realm, { functionName, uploadName }: UploadNames): NotificationRule | undefined {
  return notifications.rules.find(({ id, target }) => id === uploadName && target === functionArn(realm, functionName));
}

/** Statements by which the function lets exactly this bucket call it. */
function statementsOf(
  functions: AppUploadParts["functions"],
  realm: Realm,
  { functionName, bucketName }: Pick<UploadNames, "functionName" | "bucketName">,
): ResourceStatement[] {
  const arn = bucketArn(bucketName);
  const statements = functions.policies.find(realm, functionName, undefined)?.statements ?? [];
  return statements.filter(({ Condition }) => Condition?.["ArnLike"]?.["AWS:SourceArn"] === arn);
}

function statementFor(realm: Realm, { functionName, bucketName }: UploadNames): ResourceStatement {
  return {
    Sid: bucketPermissionId(bucketName),
    Effect: "Allow",
    Principal: { Service: "s3.amazonaws.com" },
    Action: "lambda:InvokeFunction",
    Resource: functionArn(realm, functionName),
    Condition: { ArnLike: { "AWS:SourceArn": bucketArn(bucketName) }, StringEquals: { "AWS:SourceAccount": realm.account } },
  };
}
