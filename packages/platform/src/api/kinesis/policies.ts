import type {
  DeleteResourcePolicyInput,
  GetResourcePolicyInput,
  GetResourcePolicyOutput,
  PutResourcePolicyInput,
} from "@aws-sdk/client-kinesis";
import { LambentError } from "../../base/index.ts";
import { parsePolicy } from "../../security/index.ts";
import type { StreamReference, Streams } from "../../streams/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { changeConsumer, foundConsumer } from "./consumer-records.ts";
import { invalidArgument } from "./errors.ts";
import { foundStream, referenceOf } from "./names.ts";

/** Characters of the policy of a stream or a consumer. @limit */
export const STREAM_POLICY_CHARS_MAX = 20_480;

/** The policy of a stream or of a consumer, as JSON text. @see Kinesis API reference */
export function policyOperations(streams: Streams) {
  const resource = (context: RequestContext, input: { readonly ResourceARN: string | undefined }): StreamReference => {
    refuseUnbuilt(input, ["StreamId"]);
    const reference = referenceOf(context, given(input.ResourceARN, "ResourceARN"));
    foundStream(streams, reference);
    return reference;
  };
  return {
    async PutResourcePolicy(input: PutResourcePolicyInput, context: RequestContext): Promise<void> {
      const reference = resource(context, input);
      const policy = given(input.Policy, "Policy");
      if (policy.length > STREAM_POLICY_CHARS_MAX)
        throw invalidArgument(`Policy has ${policy.length} characters; at most ${STREAM_POLICY_CHARS_MAX} are allowed.`);
      parsePolicy(policy, "resource");
      await setPolicy(streams, reference, policy);
    },

    GetResourcePolicy(input: GetResourcePolicyInput, context: RequestContext): GetResourcePolicyOutput {
      return { Policy: policyOf(streams, resource(context, input)) ?? noPolicy(input.ResourceARN) };
    },

    async DeleteResourcePolicy(input: DeleteResourcePolicyInput, context: RequestContext): Promise<void> {
      const reference = resource(context, input);
      if (policyOf(streams, reference) === undefined) noPolicy(input.ResourceARN);
      await setPolicy(streams, reference, undefined);
    },
  };
}

/** The policy of what `reference` names; undefined where it has none. */
export function policyOf(streams: Pick<Streams, "find">, reference: StreamReference): string | undefined {
  const record = foundStream(streams, reference);
  return reference.consumer ? foundConsumer(record, reference).policy : record.kinesis?.policy;
}

async function setPolicy(streams: Streams, reference: StreamReference, policy: string | undefined): Promise<void> {
  const changed = policy === undefined ? {} : { policy };
  if (reference.consumer) await changeConsumer(streams, reference, ({ policy: _before, ...others }) => ({ ...others, ...changed }));
  else
    await streams.update(reference.realm, reference.name, (record) => {
      const { policy: _before, ...others } = record.kinesis ?? {};
      return { ...record, kinesis: { ...others, ...changed } };
    });
}

function noPolicy(arn: string | undefined): never {
  throw new LambentError("NotFound", `The resource ${arn ?? ""} has no policy.`);
}
