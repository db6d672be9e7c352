/** What S3 asks of the actions of a lifecycle rule. */
import type {
  AbortIncompleteMultipartUpload,
  LifecycleExpiration,
  LifecycleRule as RuleShape,
  NoncurrentVersionExpiration,
  NoncurrentVersionTransition,
  Transition,
} from "@aws-sdk/client-s3";
import { malformedXml, refused } from "./configuration-errors.ts";

const DAY_MS = 86_400_000;
const DAYS_MAX = 2_147_483_647;
/** Noncurrent versions that a rule may keep. */
const KEPT_MAX = 100;
/** Transitions of one rule: a class each. */
const TRANSITIONS_MAX = 6;
/** Days that an object stays at least before it moves to a class of infrequent access. */
const INFREQUENT_DAYS_MIN = 30;

const CLASSES: readonly string[] = ["GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"];

/** Refuses actions that S3 would refuse; `prefix` is what its messages name the rule by. */
export function checkActions(rule: RuleShape, prefix: string): void {
  const { Expiration, Transitions = [], NoncurrentVersionTransitions = [], NoncurrentVersionExpiration } = rule;
  const { AbortIncompleteMultipartUpload } = rule;
  const moves = [...Transitions, ...NoncurrentVersionTransitions];
  if (!Expiration && !NoncurrentVersionExpiration && !AbortIncompleteMultipartUpload && moves.length === 0)
    throw refused("request", "At least one action needs to be specified in a rule");
  if (Expiration) checkExpiration(Expiration);
  if (NoncurrentVersionExpiration) checkNoncurrentExpiration(NoncurrentVersionExpiration);
  if (AbortIncompleteMultipartUpload) checkAbort(AbortIncompleteMultipartUpload);
  if (Transitions.length > TRANSITIONS_MAX || NoncurrentVersionTransitions.length > TRANSITIONS_MAX)
    throw malformedXml(`a rule has at most ${TRANSITIONS_MAX} transitions of a kind`);
  for (const transition of Transitions) checkTransition(transition);
  for (const transition of NoncurrentVersionTransitions) checkNoncurrentTransition(transition);
  checkClassesOnce(Transitions);
  checkClassesOnce(NoncurrentVersionTransitions);
  checkOrder(Transitions, Expiration, `'(prefix=${prefix.slice(0, 100)})'`);
}

function checkExpiration({ Days, Date: date, ExpiredObjectDeleteMarker }: LifecycleExpiration): void {
  const ways = [Days, date, ExpiredObjectDeleteMarker].filter((each) => each !== undefined).length;
  if (ways !== 1) throw malformedXml("Expiration has one of Days, Date, ExpiredObjectDeleteMarker");
  checkDays("'Days' for Expiration action", Days);
  checkDate(date);
}

function checkNoncurrentExpiration({ NoncurrentDays, NewerNoncurrentVersions }: NoncurrentVersionExpiration): void {
  if (NoncurrentDays === undefined) throw malformedXml("NoncurrentVersionExpiration has NoncurrentDays");
  checkDays("'NoncurrentDays' for NoncurrentVersionExpiration action", NoncurrentDays);
  checkKept(NewerNoncurrentVersions);
}

function checkAbort({ DaysAfterInitiation }: AbortIncompleteMultipartUpload): void {
  if (DaysAfterInitiation === undefined) throw malformedXml("AbortIncompleteMultipartUpload has DaysAfterInitiation");
  checkDays("'DaysAfterInitiation' for AbortIncompleteMultipartUpload action", DaysAfterInitiation);
}

function checkTransition({ Days, Date: date, StorageClass }: Transition): void {
  if ((Days === undefined) === (date === undefined)) throw malformedXml("a Transition has either Days or Date");
  checkClass(StorageClass);
  if (Days !== undefined && !(Number.isInteger(Days) && Days >= 0 && Days <= DAYS_MAX))
    throw refused("argument", "'Days' for Transition action must be nonnegative");
  checkInfrequent("'Days' in Transition action", StorageClass, Days);
  checkDate(date);
}

function checkNoncurrentTransition({ NoncurrentDays, StorageClass, NewerNoncurrentVersions }: NoncurrentVersionTransition): void {
  if (NoncurrentDays === undefined) throw malformedXml("a NoncurrentVersionTransition has NoncurrentDays");
  if (!(Number.isInteger(NoncurrentDays) && NoncurrentDays >= 0 && NoncurrentDays <= DAYS_MAX))
    throw refused("argument", "'NoncurrentDays' for NoncurrentVersionTransition action must be nonnegative");
  checkClass(StorageClass);
  checkInfrequent("'NoncurrentDays' in NoncurrentVersionTransition action", StorageClass, NoncurrentDays);
  checkKept(NewerNoncurrentVersions);
}

function checkClass(storageClass: string | undefined): void {
  if (storageClass === undefined || !CLASSES.includes(storageClass))
    throw malformedXml(`a StorageClass to move to is one of ${CLASSES.join(", ")}`);
}

function checkInfrequent(what: string, storageClass: string | undefined, days: number | undefined): void {
  if (storageClass?.endsWith("_IA") && days !== undefined && days < INFREQUENT_DAYS_MIN)
    throw refused("argument", `${what} must be greater than or equal to ${INFREQUENT_DAYS_MIN} for storageClass '${storageClass}'`);
}

function checkClassesOnce(transitions: readonly { readonly StorageClass?: string | undefined }[]): void {
  if (new Set(transitions.map(({ StorageClass }) => StorageClass)).size !== transitions.length)
    throw refused("request", "A rule moves objects to a storage class once");
}

/** Everything of a rule is in days, or everything is by dates; and what expires has moved before. */
function checkOrder(transitions: readonly Transition[], expiration: LifecycleExpiration | undefined, rule: string): void {
  const timed = [...transitions, ...(expiration ? [expiration] : [])];
  if (timed.some(({ Days }) => Days !== undefined) && timed.some(({ Date: date }) => date !== undefined))
    throw refused("request", `Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter ${rule}`);
  for (const { Days, Date: date } of transitions) {
    if (expiration?.Days !== undefined && Days !== undefined && expiration.Days <= Days)
      throw refused("argument", `'Days' in the Expiration action for filter ${rule} must be greater than 'Days' in the Transition action`);
    if (expiration?.Date && date && expiration.Date <= date)
      throw refused("argument", `'Date' in the Expiration action for filter ${rule} must be later than 'Date' in the Transition action`);
  }
}

function checkDays(what: string, days: number | undefined): void {
  if (days !== undefined && !(Number.isInteger(days) && days >= 1 && days <= DAYS_MAX))
    throw refused("argument", `${what} must be a positive integer`);
}

function checkDate(date: Date | undefined): void {
  if (date !== undefined && date.getTime() % DAY_MS !== 0) throw refused("argument", "'Date' must be at midnight GMT");
}

function checkKept(count: number | undefined): void {
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= KEPT_MAX))
    throw refused("argument", `'NewerNoncurrentVersions' must be a whole number of 1 to ${KEPT_MAX}`);
}
