import { LambentError } from "../../base/index.ts";
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, type ObjectChecksum, readChecksumValue } from "../../objects/index.ts";
import { invalid } from "./errors.ts";

type ChecksumMember = `Checksum${ChecksumAlgorithm}`;

/** The members that inputs and outputs have for checksums, one an algorithm. */
export type ChecksumMembers = { readonly [Member in ChecksumMember]?: string | undefined };

/** A checksum as a client names it. */
export interface GivenChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64. */
  readonly value: string;
}

const MD5_BYTES = 16;

/** Algorithms that clients know and that are not computed here. */
const UNBUILT_MEMBERS = ["ChecksumSHA512", "ChecksumMD5", "ChecksumXXHASH64", "ChecksumXXHASH3", "ChecksumXXHASH128"] as const;

/** The checksum that comes with an input; of an object made of parts also with `-<parts>` behind it. */
export function givenChecksum(input: ChecksumMembers): GivenChecksum | undefined {
  const values = input as Readonly<Record<string, string | undefined>>;
  const unbuilt = UNBUILT_MEMBERS.find((member) => values[member] !== undefined);
  if (unbuilt !== undefined) throw unbuiltAlgorithm(unbuilt.slice("Checksum".length));
  const given = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = input[`Checksum${algorithm}`];
    return value === undefined ? [] : [{ algorithm, value }];
  });
  const [first, second] = given;
  if (second) throw invalid("request", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  if (first && !readChecksumValue(first.algorithm, first.value.replace(/-\d{1,5}$/u, "")))
    throw invalid("request", `Value for x-amz-checksum-${first.algorithm.toLowerCase()} header is invalid.`);
  return first;
}

/** The algorithm of that name; undefined where none is named. */
export function algorithmOf(name: string | undefined): ChecksumAlgorithm | undefined {
  if (name === undefined) return undefined;
  const known = CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name.toUpperCase());
  if (!known) throw unbuiltAlgorithm(name.slice(0, 50));
  return known;
}

/** A `Content-MD5`, once it can be one. */
export function checkedMd5(value: string | undefined): string | undefined {
  const digest = Buffer.from(value ?? "", "base64");
  if (value !== undefined && (digest.length !== MD5_BYTES || digest.toString("base64") !== value))
    throw invalid("digest", "The Content-MD5 you specified was invalid.");
  return value;
}

/** A checksum as answers have it; a composite one says of how many parts it is. */
export function checksumShape(
  checksum: ObjectChecksum | undefined,
  parts: number | undefined,
): ChecksumMembers & { readonly ChecksumType?: ObjectChecksum["type"] } {
  if (!checksum) return {};
  const { algorithm, type, value } = checksum;
  return { [`Checksum${algorithm}`]: type === "COMPOSITE" && parts !== undefined ? `${value}-${parts}` : value, ChecksumType: type };
}

/** The checksum of a part, which has no type. */
export function partChecksumShape(checksum: GivenChecksum | undefined): ChecksumMembers {
  return checksum ? { [`Checksum${checksum.algorithm}`]: checksum.value } : {};
}

function unbuiltAlgorithm(name: string): LambentError {
  return new LambentError(
    "NotImplemented",
    `The checksum algorithm ${name} is not built in Lambent; there are ${CHECKSUM_ALGORITHMS.join(", ")}.`,
  );
}
