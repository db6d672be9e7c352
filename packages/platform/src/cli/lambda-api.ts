import type { Client } from "./client.ts";

/** Lambda's operations as the command line uses them. */

export interface FunctionConfiguration {
  readonly FunctionName: string;
  readonly FunctionArn: string;
  readonly Runtime?: string;
  readonly Handler?: string;
  readonly Role?: string;
  readonly Description?: string;
  readonly MemorySize?: number;
  readonly Timeout?: number;
  readonly CodeSize?: number;
  readonly CodeSha256?: string;
  readonly LastModified?: string;
  readonly Version?: string;
  readonly State?: string;
  readonly StateReason?: string;
  readonly LastUpdateStatus?: string;
  readonly LastUpdateStatusReason?: string;
  readonly EphemeralStorage?: { readonly Size: number };
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
  readonly LoggingConfig?: { readonly LogGroup?: string };
}

const BASE = "/2015-03-31/functions";
/** Pages one list may have: far more than the functions a machine holds (P7). */
const PAGES_MAX = 1_000;

export function functionPath(name: string, rest = ""): string {
  return `${BASE}/${encodeURIComponent(name)}${rest}`;
}

export function getFunction(
  client: Client,
  name: string,
  qualifier?: string,
): Promise<{
  readonly Configuration: FunctionConfiguration;
  readonly Code: { readonly Location?: string };
  readonly Tags?: Readonly<Record<string, string>>;
}> {
  return client.json({
    service: "lambda",
    method: "GET",
    path: functionPath(name, qualifier ? `?Qualifier=${encodeURIComponent(qualifier)}` : ""),
  });
}

export async function listFunctions(client: Client): Promise<FunctionConfiguration[]> {
  return pages(client, "/2015-03-31/functions/", "Functions");
}

export async function listVersions(client: Client, name: string): Promise<FunctionConfiguration[]> {
  return pages(client, functionPath(name, "/versions"), "Versions");
}

export function updateConfiguration(client: Client, name: string, body: object): Promise<FunctionConfiguration> {
  return client.json({ service: "lambda", method: "PUT", path: functionPath(name, "/configuration"), body });
}

export function updateCode(client: Client, name: string, zip: Buffer): Promise<FunctionConfiguration> {
  return client.json({ service: "lambda", method: "PUT", path: functionPath(name, "/code"), body: { ZipFile: zip.toString("base64") } });
}

async function pages(client: Client, path: string, member: "Functions" | "Versions"): Promise<FunctionConfiguration[]> {
  const all: FunctionConfiguration[] = [];
  let marker = "";
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = marker === "" ? "" : `?Marker=${encodeURIComponent(marker)}`;
    const answer = await client.json<{
      readonly Functions?: FunctionConfiguration[];
      readonly Versions?: FunctionConfiguration[];
      readonly NextMarker?: string;
    }>({ service: "lambda", method: "GET", path: path + query });
    all.push(...(answer[member] ?? []));
    if (!answer.NextMarker) break;
    marker = answer.NextMarker;
  }
  return all;
}

/** The function's address, if it has one. */
export async function functionUrl(
  client: Client,
  name: string,
): Promise<{ readonly FunctionUrl: string; readonly AuthType: string } | undefined> {
  const found = await client.json<{ readonly FunctionUrlConfigs?: readonly { readonly FunctionUrl: string; readonly AuthType: string }[] }>(
    {
      service: "lambda",
      method: "GET",
      path: `/2021-10-31/functions/${encodeURIComponent(name)}/urls`,
    },
  );
  return found.FunctionUrlConfigs?.[0];
}
