/** What the server says of a function under a debugger. */
export type DebuggerLine =
  | { readonly kind: "address"; readonly address: string }
  /** An instance runs with its debugger open. */
  | { readonly kind: "attachable"; readonly protocol: "inspector" | "debugpy" }
  | { readonly kind: "missing"; readonly what: string };

/** One JSON line; undefined for what is none of these. */
export function parseDebuggerLine(text: string): DebuggerLine | undefined {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof value["address"] === "string") return { kind: "address", address: value["address"] };
    if (value["debugger"] === "inspector" || value["debugger"] === "debugpy") return { kind: "attachable", protocol: value["debugger"] };
    return typeof value["missing"] === "string" ? { kind: "missing", what: value["missing"] } : undefined;
  } catch {
    return undefined;
  }
}

const CLIENTS = {
  inspector: "Chrome: chrome://inspect, VS Code: attach of type node",
  debugpy: "VS Code: attach of type debugpy",
} as const;

/** Where to attach and with what. */
export function formatDebugger(name: string, protocol: "inspector" | "debugpy", address: string): string {
  return `  debugger of ${name}: ${protocol} at ${address}  (${CLIENTS[protocol]})`;
}
