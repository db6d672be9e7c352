import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";

/** Characters of the name of a connection or an API destination. @limit */
const DESTINATION_NAME_CHARACTERS_MAX = 64;

const NAME = /^[.\-_A-Za-z0-9]{1,64}$/;
const ARN =
  /^arn:aws[a-z-]{0,20}:events:([a-z0-9-]{1,32}):(\d{12}):(connection|api-destination)\/([.\-_A-Za-z0-9]{1,64})\/([A-Za-z0-9-]{1,64})$/;

/** `connection` and `api-destination`, as they stand in ARNs. */
export type DestinationKind = "connection" | "api-destination";

/** A connection or API destination as an ARN names it: one of the name that was made later has another id. */
export interface DestinationReference {
  readonly realm: Realm;
  readonly name: string;
  readonly id: string;
}

/** Refuses a name that neither a connection nor an API destination can have. */
export function checkDestinationName(name: string): void {
  if (NAME.test(name)) return;
  throw new LambentError(
    "InvalidParameter",
    `Name is ${JSON.stringify(name.slice(0, 100))}; it has 1 to ${DESTINATION_NAME_CHARACTERS_MAX} letters, digits, dots, hyphens and underscores.`,
  );
}

/** `arn:aws:events:<region>:<account>:<kind>/<name>/<id>`. */
export function destinationArn(kind: DestinationKind, realm: Realm, { name, id }: Pick<DestinationReference, "name" | "id">): string {
  return `arn:aws:events:${realm.region}:${realm.account}:${kind}/${name}/${id}`;
}

/** What an ARN of this kind names; undefined for any other text. */
export function parseDestinationArn(kind: DestinationKind, arn: string): DestinationReference | undefined {
  const [, region = "", account = "", found, name = "", id = ""] = ARN.exec(arn) ?? [];
  return found === kind ? { realm: { account, region }, name, id } : undefined;
}
