import { readFileSync } from "node:fs";

/** The version of this package. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** Commands that a text names in backticks, as a person calls them from here. */
export function asCalledHere(text: string): string {
  return text.replaceAll("`lambent ", `\`${commandWord()} `);
}

/** How a person calls this command from where they are: through npm in a checkout, by name when installed. */
export function commandWord(): string {
  return import.meta.url.endsWith(".ts") ? "npx lambent" : "lambent";
}
