import { queryWireError } from "../query-errors.ts";

/** IAM's names for errors of the catalogue. */
export const iamWireError = queryWireError({
  NotFound: { name: "NoSuchEntityException", status: 404 },
  AlreadyExists: { name: "EntityAlreadyExistsException", status: 409 },
  Conflict: { name: "DeleteConflictException", status: 409 },
  LimitExceeded: { name: "LimitExceededException", status: 409 },
  MalformedPolicy: { name: "MalformedPolicyDocumentException", status: 400 },
});
