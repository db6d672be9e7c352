import { loadService } from "../../wire/index.ts";
import type { Service } from "../service.ts";
import { stsWireError } from "./errors.ts";
import { type StsDependencies, stsOperations } from "./operations.ts";

/** STS as the gateway serves it. Its operations ask for leave themselves: AssumeRole by the role's trust policy, the others need none. */
export function stsService(dependencies: StsDependencies): Service {
  return { model: loadService("sts"), operations: stsOperations(dependencies), wireError: stsWireError, permission: () => undefined };
}
