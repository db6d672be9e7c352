import { LambentError } from "../base/index.ts";

/** An Amazon Resource Name. Region and account are empty for resources that have none. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** All after the fifth colon: `function:hello:live`, `role/service-role/x`. */
  readonly resource: string;
}

/** Characters of an ARN; AWS's longest own bound for one. */
export const ARN_CHARS_MAX = 2_048;

const ARN = /^arn:(aws[a-z-]{0,20}):([a-z0-9-]{1,63}):([a-z0-9-]{0,32}):(\d{12}|aws|cloudfront|):(.+)$/s;
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Reads an ARN; `member` is what the error calls the value.
 *
 * @throws LambentError InvalidParameter
 */
export function parseArn(text: string, member = "The value"): Arn {
  const found = text.length <= ARN_CHARS_MAX && !CONTROL.test(text) ? ARN.exec(text) : null;
  if (!found) {
    const shown = text.length <= 256 ? text : `${text.slice(0, 256)}…`;
    throw new LambentError(
      "InvalidParameter",
      `${member} is ${JSON.stringify(shown)}; an ARN is arn:<partition>:<service>:<region>:<account>:<resource>.`,
    );
  }
  const [, partition = "", service = "", region = "", account = "", resource = ""] = found;
  return { partition, service, region, account, resource };
}

/** Writes an ARN; the partition is `aws` unless given. */
export function formatArn(arn: Omit<Arn, "partition"> & Partial<Pick<Arn, "partition">>): string {
  return `arn:${arn.partition ?? "aws"}:${arn.service}:${arn.region}:${arn.account}:${arn.resource}`;
}
