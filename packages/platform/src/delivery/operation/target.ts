import { LambentError } from "../../base/index.ts";
import type { ServiceCaller } from "../../model/index.ts";
import { TAKEN, type TargetKind } from "../handing.ts";

const OPERATION_ARN = /^arn:aws[a-z-]{0,20}:scheduler:::aws-sdk:([a-z0-9]{1,64}):([A-Za-z0-9]{1,128})$/;

/** Every operation of every service, by the ARN that EventBridge Scheduler has for it; the payload is its input. */
export function operationTarget({ caller }: { readonly caller: () => ServiceCaller }): TargetKind {
  return {
    takes: (target) => OPERATION_ARN.test(target),
    async handOver([{ parcel }]) {
      const { sender, payload, target, traceHeader } = parcel;
      const [, service = "", operation = ""] = OPERATION_ARN.exec(target) ?? [];
      if (sender.kind !== "service" || sender.roleArn === undefined)
        throw new LambentError("AccessDenied", `${target} is called in the name of a role, and none is given.`);
      const { realm, roleArn, service: holder } = sender;
      await caller().call({ realm, roleArn, holder, service, operation, input: payload, traceHeader });
      return [TAKEN];
    },
  };
}
