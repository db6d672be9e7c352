/** Confinement: instances as processes, bubblewrapped where the machine allows it. */
export { openSandbox, UID_RANGE_DEFAULT } from "./open.ts";
export type { SandboxOptions } from "./open.ts";
export type {
  ConfinedProcess,
  Environment,
  InstanceAddresses,
  InstanceListeners,
  InstancePaths,
  LaunchSpec,
  NetworkMode,
  Places,
  ProcessExit,
  ReadOnlyMount,
  Sandbox,
  SandboxReport,
  Zygote,
  ZygoteSpec,
} from "./sandbox.ts";
