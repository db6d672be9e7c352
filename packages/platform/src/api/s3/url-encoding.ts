import { invalid } from "./errors.ts";

/** What encodes names in an answer, as the caller asked: some characters of keys are none of XML. */
export type Encode = <T extends string | undefined>(text: T) => T;

/** As it is, or for `url` as forms are encoded, slashes left alone. */
export function encoderFor(encodingType: string | undefined): Encode {
  if (encodingType === undefined || encodingType === "") return (text) => text;
  if (encodingType !== "url") throw invalid("argument", "Invalid Encoding Method specified in Request", { argument: "encoding-type" });
  return (text) => (text === undefined ? text : (formEncoded(text) as typeof text));
}

/** Spaces become plus signs, `*` and `/` stay as they are. */
function formEncoded(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()~]/gu, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+")
    .replaceAll("%2F", "/");
}
