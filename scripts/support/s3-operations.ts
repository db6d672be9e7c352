/** The table of S3's operations in docs/objects.md, from the operations that are there and the schema of those that there are. */
import { absentConfigurationOperations } from "../../packages/platform/src/api/s3/absent-configurations.ts";
import { aclOperations } from "../../packages/platform/src/api/s3/access-configurations.ts";
import { bucketOperations } from "../../packages/platform/src/api/s3/bucket-operations.ts";
import { bucketTagOperations } from "../../packages/platform/src/api/s3/bucket-tags.ts";
import { configurationOperations, storedConfigurationOperations } from "../../packages/platform/src/api/s3/configurations.ts";
import { listOperations, versionListOperations } from "../../packages/platform/src/api/s3/list-objects.ts";
import { multipartListOperations } from "../../packages/platform/src/api/s3/multipart-lists.ts";
import { multipartOperations } from "../../packages/platform/src/api/s3/multipart.ts";
import { objectAclOperations } from "../../packages/platform/src/api/s3/object-acl.ts";
import type { S3Parts } from "../../packages/platform/src/api/s3/parts.ts";
import { s3Operations } from "../../packages/platform/src/api/s3/service.ts";
import { isLambentError } from "../../packages/platform/src/base/index.ts";
import { loadService } from "../../packages/platform/src/wire/index.ts";

/** Operations only ask for what they stand on when they are called; those that are called here ask for a bucket. */
const parts = { buckets: { get: (name: string) => ({ name }) } } as unknown as S3Parts;

/** Every operation of S3, once. */
export function s3OperationTable(): string {
  const absent = absentAnswers();
  const stored = [storedConfigurationOperations(parts), bucketTagOperations(parts)]
    .flatMap((each) => Object.keys(each))
    .concat(accessControlLists());
  const notBuilt = [
    ...absent.refused,
    ...[...loadService("s3").operations.keys()].filter((name) => !Object.hasOwn(s3Operations(parts), name)),
  ];
  const groups = {
    buckets: Object.keys(bucketOperations(parts)),
    lists: [...Object.keys(listOperations(parts)), ...Object.keys(versionListOperations(parts))],
    "uploads in parts": [...Object.keys(multipartOperations(parts)), ...Object.keys(multipartListOperations(parts))],
  };
  const told = new Set([...stored, ...absent.none, ...notBuilt, ...Object.values(groups).flat()]);
  const configurations = Object.keys(configurationOperations(parts)).filter((name) => !told.has(name));
  const objects = Object.keys(s3Operations(parts)).filter((name) => !told.has(name) && !configurations.includes(name));
  const rows = [
    row("buckets", groups.buckets),
    row("objects", objects),
    row("lists", groups.lists),
    row("uploads in parts", groups["uploads in parts"]),
    row("configurations that act", configurations),
    row("**stored only**: checked, kept and read back, without effect", stored),
    row("**none**: answered as for a bucket that has none", absent.none),
    row("**501**, with the operation's name", notBuilt),
  ];
  return ["| | operations |", "|---|---|", ...rows].join("\n");
}

/** Lists are kept and give nothing; who owns objects, beside them, decides whether a list may be set. */
function accessControlLists(): string[] {
  return [...Object.keys(aclOperations(parts)), ...Object.keys(objectAclOperations(parts))].filter((name) => name.endsWith("Acl"));
}

/** Of configurations that no bucket has: which operations answer so, and which are refused. */
function absentAnswers(): { readonly none: readonly string[]; readonly refused: readonly string[] } {
  const operations = Object.entries(absentConfigurationOperations(parts));
  const isRefused = (operation: (input: { readonly Bucket: string }) => unknown): boolean => {
    try {
      operation({ Bucket: "any" });
      return false;
    } catch (error) {
      return isLambentError(error, "NotImplemented");
    }
  };
  const names = (refused: boolean): string[] => operations.filter(([, each]) => isRefused(each) === refused).map(([name]) => name);
  return { none: names(false), refused: names(true) };
}

function row(what: string, operations: readonly string[]): string {
  return `| ${what} | ${operations
    .toSorted()
    .map((name) => `\`${name}\``)
    .join(" ")} |`;
}
