import { LambentError } from "../../base/index.ts";
import { LATEST } from "../../model/index.ts";
import { isVersionNumber } from "./names.ts";

/** A second version's share of an alias's calls. */
export interface AdditionalVersion {
  readonly version: string;
  readonly weight: number;
}

/**
 * Checks an alias's routing and gives it its stored form; a share of 0 is none.
 *
 * Throws `InvalidParameter` for more than one additional version, a share outside 0 to 1, `$LATEST` with shares, or the
 * same version twice.
 */
export function routing(primary: string, weights: Readonly<Record<string, number>>): AdditionalVersion | undefined {
  const shares = Object.entries(weights);
  const [share, second] = shares;
  if (share === undefined) return undefined;
  if (second !== undefined) invalid(`RoutingConfig has ${shares.length} versions; an alias takes one beside its own.`);
  const [version, weight] = share;
  if (!(weight >= 0 && weight <= 1)) invalid(`The weight of version ${version} is ${weight}; it is from 0.0 to 1.0.`);
  if (primary === LATEST) invalid(`${LATEST} is not supported for an alias pointing to more than 1 version.`);
  if (!isVersionNumber(version)) invalid(`RoutingConfig has the version ${version}; it takes published versions only.`);
  if (version === primary) invalid(`RoutingConfig has the version ${version}, which the alias points to already.`);
  return weight === 0 ? undefined : { version, weight };
}

function invalid(message: string): never {
  throw new LambentError("InvalidParameter", message);
}
