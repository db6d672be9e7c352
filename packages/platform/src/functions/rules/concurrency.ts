import { LambentError } from "../../base/index.ts";
import { ACCOUNT_CONCURRENCY, UNRESERVED_CONCURRENCY_MIN } from "./limits.ts";

/** What one function takes out of its account's concurrency. */
export interface ConcurrencyClaim {
  readonly name: string;
  readonly reserved: number | undefined;
  /** Instances kept initialised, over all its versions and aliases. */
  readonly provisioned: number;
}

/** What is left for functions without a reservation; provisioned instances of such functions are taken out as well. */
export function unreservedConcurrency(claims: readonly ConcurrencyClaim[]): number {
  return claims.reduce((left, claim) => left - (claim.reserved ?? claim.provisioned), ACCOUNT_CONCURRENCY);
}

/** Throws `InvalidParameter` when `claims`, with one of them changed, leave too little, or a function promises more than it has. */
export function requireConcurrencyLeft(claims: readonly ConcurrencyClaim[], changed: ConcurrencyClaim): void {
  if (changed.reserved !== undefined && changed.provisioned > changed.reserved) {
    throw new LambentError(
      "InvalidParameter",
      `Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function: ${changed.provisioned} provisioned, ${changed.reserved} reserved.`,
    );
  }
  const after = [...claims.filter((claim) => claim.name !== changed.name), changed];
  const left = unreservedConcurrency(after);
  if (left < UNRESERVED_CONCURRENCY_MIN) {
    throw new LambentError(
      "InvalidParameter",
      `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${UNRESERVED_CONCURRENCY_MIN}]: ${left} of ${ACCOUNT_CONCURRENCY} would be left.`,
    );
  }
}

/** Throws `InvalidParameter` unless `reserved` is a whole number from 0. */
export function requireReservation(reserved: number): void {
  if (!Number.isInteger(reserved) || reserved < 0) {
    throw new LambentError("InvalidParameter", `ReservedConcurrentExecutions is ${reserved}; it is a whole number from 0.`);
  }
}
