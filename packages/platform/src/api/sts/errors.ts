import { queryWireError } from "../query-errors.ts";

/** STS's names for errors of the catalogue. */
export const stsWireError = queryWireError({
  MalformedPolicy: { name: "MalformedPolicyDocumentException", status: 400 },
  LimitExceeded: { name: "PackedPolicyTooLargeException", status: 400 },
});
