import { LambentError } from "../../base/index.ts";
import type { LayerReference, Realm } from "../../model/index.ts";
import type { Registry } from "../registry.ts";
import { parseLayerReference } from "../rules/names.ts";
import { sharesWith } from "../rules/policies.ts";
import { requireLayerList } from "../rules/settings.ts";

export const LAYER_ACTION = "lambda:GetLayerVersion";

/**
 * The layers behind a list of version ARNs. One that the function uses already (`before`) stays usable when its version was deleted
 * since. Throws `InvalidParameter` for one that is not there, and `AccessDenied` for another account's that is not shared.
 */
export function resolveLayers(
  registry: Registry,
  realm: Realm,
  arns: readonly string[],
  before: readonly LayerReference[] = [],
): LayerReference[] {
  requireLayerList(arns);
  return arns.map((arn) => {
    const { name, version, realm: owner } = parseLayerReference(arn, realm);
    const record = version === undefined ? undefined : registry.state(owner).layers.get(name)?.get(version);
    if (record === undefined) {
      const kept = before.find((layer) => layer.arn === arn);
      if (kept) return kept;
      throw new LambentError("InvalidParameter", `Layer version ${arn} does not exist.`);
    }
    if (owner.account !== realm.account && !sharesWith(record.policy, realm.account, LAYER_ACTION)) {
      throw new LambentError("AccessDenied", `The layer version ${arn} is not shared with account ${realm.account}.`);
    }
    return { arn, code: record.code };
  });
}
