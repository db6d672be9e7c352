import type { GetAccountSettingsRequest, GetAccountSettingsResponse } from "@aws-sdk/client-lambda";
import { ACCOUNT_CONCURRENCY, CODE_STORAGE_BYTES_MAX, CODE_UNPACKED_BYTES_MAX, CODE_ZIP_BYTES_MAX } from "../../functions/index.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";

/** Limits of an account and what it uses of them. @see Lambda API reference */
export function accountOperations({ functions }: ManagementDependencies) {
  return {
    GetAccountSettings(_input: GetAccountSettingsRequest, context: RequestContext): GetAccountSettingsResponse {
      const usage = functions.account.usage(context.realm);
      return {
        AccountLimit: {
          TotalCodeSize: CODE_STORAGE_BYTES_MAX,
          CodeSizeUnzipped: CODE_UNPACKED_BYTES_MAX,
          CodeSizeZipped: CODE_ZIP_BYTES_MAX,
          ConcurrentExecutions: ACCOUNT_CONCURRENCY,
          UnreservedConcurrentExecutions: functions.concurrency.unreserved(context.realm),
        },
        AccountUsage: { TotalCodeSize: usage.codeBytes, FunctionCount: usage.functions },
      };
    },
  };
}
