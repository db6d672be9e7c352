import type {
  DescribeAccountSettingsOutput,
  DescribeLimitsOutput,
  UpdateAccountSettingsInput,
  UpdateAccountSettingsOutput,
} from "@aws-sdk/client-kinesis";
import { LambentError } from "../../base/index.ts";
import type { Streams } from "../../streams/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { openShards } from "./shard-shapes.ts";

/** What is told of an account; neither is enforced: a stream has a bound of its own. */
const TOLD_SHARDS = 20_000;
const TOLD_ON_DEMAND_STREAMS = 50;
/** Nothing is billed by throughput here, so nothing can be committed to. */
const NO_COMMITMENT = { MinimumThroughputBillingCommitment: { Status: "DISABLED" } } as const;

/** What holds for all streams of a realm. @see Kinesis API reference */
export function accountOperations(streams: Pick<Streams, "list">) {
  return {
    DescribeLimits(_input: object, { realm }: RequestContext): DescribeLimitsOutput {
      const records = streams.list(realm);
      return {
        ShardLimit: TOLD_SHARDS,
        OpenShardCount: records.reduce((sum, record) => sum + openShards(record).length, 0),
        OnDemandStreamCount: records.filter(({ mode }) => mode === "onDemand").length,
        OnDemandStreamCountLimit: TOLD_ON_DEMAND_STREAMS,
      };
    },

    DescribeAccountSettings(): DescribeAccountSettingsOutput {
      return NO_COMMITMENT;
    },

    UpdateAccountSettings(input: UpdateAccountSettingsInput): UpdateAccountSettingsOutput {
      const { Status } = given(input.MinimumThroughputBillingCommitment, "MinimumThroughputBillingCommitment");
      if (Status === "ENABLED")
        throw new LambentError("NotImplemented", "A commitment to a minimum throughput is not built in Lambent: nothing is billed by it.");
      return NO_COMMITMENT;
    },
  };
}
