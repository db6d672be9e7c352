/**
 * The budgets of docs/specification.md. A bench reports against the whole budget; `npm test` fails at half of it, which noise
 * of the machine does not reach and a regression does.
 */
export interface Budget {
  readonly text: string;
  readonly better: "more" | "less";
  readonly holds: (figure: number) => boolean;
  /** The same at half: half the speed, or twice the time or memory. */
  readonly holdsHalf: (figure: number) => boolean;
}

export const BUDGETS = {
  http: atLeast(0.5, "at least 0.50 × bare node:http"),
  httpOneAtATime: atLeast(0.25, "at least 0.25 × bare node:http"),
  invoke: atLeast(0.15, "at least 0.15 × bare node:http"),
  coldNode: atMost(0.3, "at most 0.30 × the start of node -e 0"),
  coldPython: atMost(0.05, "at most 0.05 × python3 importing boto3 and making a client"),
  recoveryMs: atMost(2_000, "less than 2,000 ms"),
  recoveryMb: atMost(300, "less than 300 MB"),
  batchedMessages: atLeast(10_000, "at least 10,000 messages/s through SendMessageBatch"),
  singleMessages: atLeast(4_000, "at least 4,000 messages/s by SendMessage"),
  sendToReceiveMs: atMost(10, "less than 10 ms"),
  sendToHandlerMs: atMost(10, "less than 10 ms"),
  sendToHandlerBusyMs: atMost(50, "less than 50 ms"),
  backlogGapMs: atMost(50, "at most 50 ms"),
  backlogMb: atMost(300, "less than 300 MB"),
  backlogRate: atLeast(0.75, "at least 0.75 × the rate beside an empty queue"),
  backlogStartMs: atMost(2_000, "less than 2,000 ms"),
  busMatch: atLeast(100_000, "at least 100,000 events/s"),
  busMatchMany: atLeast(0.5, "at least 0.50 × the rate with 10 rules"),
  publishToHandlerMs: atMost(10, "less than 10 ms"),
  deadTargetMs: atMost(10, "at most 10 ms more than without it"),
  dueToHandlerMs: atMost(20, "within 20 ms for 95 %"),
  largeBodies: atLeast(0.5, "at least 0.50 × a copy of the file, synced"),
  largeBodiesMb: atMost(64, "less than 64 MB above the idle server"),
  smallObjects: atLeast(3, "at least 3 × one-at-a-time write + fdatasync"),
  smallPuts: atLeast(3_000, "at least 3,000 puts/s"),
  smallGets: atLeast(6_000, "at least 6,000 gets/s"),
  listMs: atMost(20, "less than 20 ms"),
  getAmongMany: atLeast(0.9, "as fast as with ten objects: at least 0.90 ×"),
  uploadToHandlerMs: atMost(15, "less than 15 ms"),
  asyncAccept: atLeast(0.5, "at least 0.50 × one-at-a-time write + fdatasync"),
  asyncToHandlerMs: atMost(10, "less than 10 ms"),
  robustScores: atLeast(200_000, "at least 200,000 values/s"),
  forestScores: atLeast(5_000, "at least 5,000 values/s"),
  streamSingles: atLeast(10, "at least 10 × one-at-a-time write + fdatasync"),
  streamBatches: atLeast(100_000, "at least 100,000 records/s, durable"),
  streamReads: atLeast(200_000, "at least 200,000 records/s"),
  kafkaProduce: atLeast(100_000, "at least 100,000 records/s, durable"),
  kafkaFetch: atLeast(200_000, "at least 200,000 records/s"),
  recordToHandlerMs: atMost(10, "less than 10 ms"),
  managedWindows: atLeast(300_000, "at least 300,000 events/s"),
  managedWindowsDurable: atLeast(50_000, "at least 50,000 events/s"),
  slidingRatio: atLeast(20, "at least 20 × computing it anew"),
  slidingValues: atLeast(1_000_000, "at least 1,000,000 values/s"),
  keyedRecords: atLeast(300_000, "at least 300,000 records/s"),
  millionKeysMb: atMost(1_000, "less than 1,000 MB"),
  bootMs: atMost(300, "less than 300 ms"),
  idleMb: atMost(120, "less than 120 MB"),
} as const;

function atLeast(limit: number, text: string): Budget {
  return { text, better: "more", holds: (figure) => figure >= limit, holdsHalf: (figure) => figure >= limit / 2 };
}

function atMost(limit: number, text: string): Budget {
  return { text, better: "less", holds: (figure) => figure <= limit, holdsHalf: (figure) => figure <= limit * 2 };
}
