/** Who has to act: the caller (its request), the function (its code), or the platform (its operator, or time). */
export type Fault = "caller" | "function" | "platform";

export interface ErrorEntry {
  /** HTTP status where an API has no status of its own for it. */
  readonly status: number;
  readonly fault: Fault;
  /** True when the same request can succeed later without being changed. */
  readonly retryable: boolean;
  readonly meaning: string;
  /** What whoever is at fault does next. */
  readonly next: string;
}

const entry = (status: number, fault: Fault, retryable: boolean, meaning: string, next: string): ErrorEntry => ({
  status,
  fault,
  retryable,
  meaning,
  next,
});

/**
 * Every error Lambent answers with. Each API maps a code to its own service's name (`api/<service>/errors.ts`);
 * `docs/errors.md` shows the same table, and a test compares both.
 */
export const ERROR_CATALOGUE = {
  // Requests as such
  MalformedRequest: entry(
    400,
    "caller",
    false,
    "The request's bytes are not what its protocol says.",
    "Send well-formed JSON, CBOR, XML or form data.",
  ),
  InvalidParameter: entry(400, "caller", false, "A value breaks a rule; the message names value and rule.", "Correct the value."),
  RequestTooLarge: entry(413, "caller", false, "The payload is over its limit.", "Send less, or put the body in a bucket."),
  UnknownOperation: entry(
    404,
    "caller",
    false,
    "No operation of any service matches the request.",
    "Check the endpoint, path and service.",
  ),
  NotImplemented: entry(
    501,
    "platform",
    false,
    "A real operation that Lambent does not have yet.",
    "See the operations table of the service's page.",
  ),
  NotFound: entry(404, "caller", false, "The named thing does not exist in this account and region.", "Check name, account and region."),
  AlreadyExists: entry(409, "caller", false, "A thing of that name exists.", "Choose another name, or update the existing one."),
  NotOwned: entry(
    409,
    "caller",
    false,
    "An application names a function that it did not bring, or has the name of another by chance.",
    "Name it with `app:` in lambent.yaml, or rename the function; `lambent deploy --adopt` takes functions over.",
  ),
  Conflict: entry(409, "caller", true, "The thing changes at the moment, or is in use.", "Wait until it is done and repeat."),
  RestartNeeded: entry(
    409,
    "caller",
    false,
    "What a window has reckoned means nothing under its new definition.",
    "Say from where it begins anew: `--restart latest`, or `onChange` in lambent.yaml; or leave the definition as it is.",
  ),
  IllegalState: entry(400, "caller", false, "The thing is in a state that does not allow this.", "Look at its state; start another one."),
  ManagedRule: entry(400, "caller", false, "The rule belongs to an archive.", "Change or delete the archive."),
  RevisionMismatch: entry(412, "caller", false, "The revision id given is not the current one.", "Read the current one and repeat."),
  LimitExceeded: entry(400, "caller", false, "A documented limit would be passed; the message names it.", "Use less, or raise the limit."),
  // Identity
  MissingCredentials: entry(403, "caller", false, "The request is not signed.", 'Sign it: `eval "$(lambent env)"`.'),
  UnknownCredentials: entry(403, "caller", false, "The access key is not known here.", "Use the key `lambent env` prints."),
  SignatureMismatch: entry(
    403,
    "caller",
    false,
    "The signature does not fit the request and the key.",
    "Check the secret key and that nothing rewrites the request.",
  ),
  IncompleteSignature: entry(400, "caller", false, "The signature lacks a part or is malformed.", "Sign with an AWS SDK."),
  ExpiredCredentials: entry(403, "caller", false, "The session token is past its end.", "Fetch new credentials."),
  RequestExpired: entry(
    403,
    "caller",
    false,
    "The request's time is too far from the server's, or a presigned URL is past its end.",
    "Correct the clock, or sign again.",
  ),
  AccessDenied: entry(403, "caller", false, "A policy does not allow this.", "Add a statement that allows it."),
  MalformedPolicy: entry(
    400,
    "caller",
    false,
    "A policy document is not what its language says; the message names element and rule.",
    "Correct the document.",
  ),
  EgressRefused: entry(
    403,
    "caller",
    false,
    "Neither functions nor deliveries may reach this address: it is private, the host's own, or does not resolve.",
    "Open it with --allow-host-port or --allow-network.",
  ),
  HostRefused: entry(
    403,
    "caller",
    false,
    "The Host or Origin header is not one this listener serves.",
    "Use a loopback name, or start with --allow-host.",
  ),
  // Calls
  Throttled: entry(
    429,
    "platform",
    true,
    "A concurrency limit is reached, or no instance came free in time.",
    "Retry with back-off, or raise the limit.",
  ),
  InFlightBytesExceeded: entry(
    429,
    "platform",
    true,
    "The payloads of all running calls together are over their bound.",
    "Retry with back-off.",
  ),
  FunctionNotReady: entry(
    409,
    "caller",
    true,
    "The function's code or configuration is still being made ready.",
    "Wait for State Active and LastUpdateStatus Successful.",
  ),
  RuntimeUnavailable: entry(
    502,
    "platform",
    true,
    "No process for this runtime can be started on this machine.",
    "`lambent doctor` says what is missing.",
  ),
  SandboxUnavailable: entry(
    500,
    "caller",
    false,
    "Functions cannot be confined on this machine; the message says why.",
    "Mend what the message names, or start with --sandbox process.",
  ),
  RecursionStopped: entry(
    400,
    "caller",
    false,
    "Functions called each other in a circle about 16 times.",
    "Break the circle, or set the function's recursion configuration to Allow.",
  ),
  InstanceLost: entry(502, "platform", true, "The instance ended while the call ran, through no fault of its code.", "Retry."),
  InvalidCode: entry(
    400,
    "caller",
    false,
    "The deployment package is not usable; the message names entry and rule.",
    "Build the package again.",
  ),
  CodeStorageExceeded: entry(
    400,
    "caller",
    false,
    "The account's code storage would be over its bound.",
    "Delete versions, layers or functions that are not needed.",
  ),
  PolicyTooLong: entry(400, "caller", false, "A resource policy would be over its size.", "Join or remove statements."),
  ProvisionedConcurrencyNotFound: entry(
    404,
    "caller",
    false,
    "The version or alias has no provisioned concurrency.",
    "Set it first, or check the qualifier.",
  ),
  // Queues
  QueueDeletedRecently: entry(
    400,
    "caller",
    true,
    "A queue of that name was deleted less than 60 seconds ago.",
    "Wait 60 seconds, or choose another name.",
  ),
  PurgeInProgress: entry(403, "caller", true, "The queue was purged less than 60 seconds ago.", "Wait and repeat."),
  InvalidAttributeName: entry(400, "caller", false, "The queue has no attribute of that name.", "Correct the name."),
  InvalidAttributeValue: entry(400, "caller", false, "An attribute's value breaks a rule; the message names both.", "Correct the value."),
  InvalidMessage: entry(400, "caller", false, "A message holds characters that are not allowed.", "Send it as base64."),
  InvalidReceipt: entry(404, "caller", false, "The receipt handle is not one of this queue.", "Use the handle of the last receive."),
  NotInFlight: entry(400, "caller", false, "The message is not hidden at the moment.", "Receive it again."),
  InFlightLimit: entry(403, "caller", true, "As many messages are in flight as are allowed.", "Delete some of them."),
  InvalidBatch: entry(400, "caller", false, "A batch as a whole breaks a rule; the message names it.", "Correct the batch."),
  InvalidQueueUrl: entry(404, "caller", false, "The URL is none of a queue.", "Use the URL that CreateQueue or GetQueueUrl gives."),
  UnsupportedOperation: entry(400, "caller", false, "The resource is not of the kind this works on.", "See the operation's page."),
  // Events
  InvalidPattern: entry(400, "caller", false, "An event pattern is none; the message names the rule.", "Correct the pattern."),
  MappingInUse: entry(
    400,
    "caller",
    true,
    "The event source mapping changes at the moment.",
    "Wait until its state is Enabled or Disabled, and repeat.",
  ),
  // Objects
  InvalidBucketName: entry(400, "caller", false, "A bucket cannot be named so; the message names the rule.", "Choose another name."),
  BucketNotEmpty: entry(409, "caller", false, "The bucket holds objects, versions of objects, or uploads.", "Delete them first."),
  ChecksumMismatch: entry(
    400,
    "caller",
    true,
    "The body does not have the digest that was sent with it; nothing was stored.",
    "Send it again.",
  ),
  IncompleteBody: entry(400, "caller", true, "The body ended before the length that was declared; nothing was stored.", "Send it again."),
  PreconditionFailed: entry(412, "caller", false, "The object is not what the request makes its condition.", "Read it and decide anew."),
  NotModified: entry(304, "caller", false, "The object is what the caller has already.", "Use that."),
  RangeNotSatisfiable: entry(416, "caller", false, "The range begins behind the object's end.", "Ask for bytes that are there."),
  IsDeleteMarker: entry(405, "caller", false, "The version is a delete marker, which has no content.", "Read another version."),
  InvalidPart: entry(
    400,
    "caller",
    false,
    "A part that is named was not uploaded, or is another one now.",
    "List the parts; upload it again.",
  ),
  InvalidPartOrder: entry(400, "caller", false, "The parts are not named in rising order.", "Sort them by their numbers."),
  PartTooSmall: entry(400, "caller", false, "A part that is not the last one is under 5 MiB.", "Upload larger parts."),
  StorageFull: entry(
    507,
    "platform",
    true,
    "There is no room on the disk for this body; nothing was stored.",
    "Free space, or delete objects.",
  ),
  // Streams
  OffsetOutOfRange: entry(
    400,
    "caller",
    false,
    "The position is before the oldest record that is kept, or behind the end.",
    "Begin at the oldest record, or at the end.",
  ),
  ExpiredIterator: entry(
    400,
    "caller",
    false,
    "The shard iterator is older than five minutes.",
    "Ask for another one at the last sequence number you have.",
  ),
  ExpiredPageToken: entry(400, "caller", false, "The token of a list's next page is older than five minutes.", "List from the beginning."),
  // Storage and the server
  StorageBusy: entry(503, "platform", true, "More writes wait than the storage's bound allows.", "Retry with back-off."),
  StorageStopped: entry(
    503,
    "platform",
    false,
    "The disk refused a write; nothing more is acknowledged.",
    "Free space or mend the disk, then restart.",
  ),
  StorageCorrupt: entry(500, "platform", false, "Stored bytes do not match their checksum.", "`lambent verify`, then restore a backup."),
  BackupFailed: entry(
    500,
    "caller",
    false,
    "A backup cannot be written or read; the message says why. The server goes on.",
    "Mend what the message names, or choose another folder.",
  ),
  DataFolderLocked: entry(500, "caller", false, "Another server uses this data folder.", "Stop it, or choose another --data."),
  DataFolderUnusable: entry(500, "caller", false, "The data folder cannot be used; the message says why.", "Choose another --data."),
  PortTaken: entry(500, "caller", false, "The port is in use.", "Stop its holder, or choose another port."),
  ShuttingDown: entry(503, "platform", true, "The server is stopping.", "Retry after the restart."),
  InternalError: entry(
    500,
    "platform",
    true,
    "A defect in Lambent; the log has the details under the request id.",
    "Report it with the request id.",
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
