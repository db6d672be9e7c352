/**
 * A morning of clicks in a shop, put by Kinesis; `late` puts two more that come when others have gone on.
 *
 *     eval "$(npx lambent env)"
 *     node examples/clicks/click.mjs [late]
 */
import { Kinesis } from "@aws-sdk/client-kinesis";

const STREAM = "example_clicks";
const MORNING = [
  ["09:00", "ada", "/"],
  ["09:04", "ada", "/shoes"],
  ["09:07", "ben", "/"],
  ["09:12", "ada", "/cart"],
  // A minute out of order, which is nothing special.
  ["09:11", "ben", "/hats"],
  ["11:05", "ada", "/cart"],
  ["11:07", "ada", "/pay"],
  ["12:00", "cleo", "/"],
];
const LATE = [
  // Her session was told, and is still kept: it becomes another one.
  ["11:21", "ada", "/thanks"],
  // His ended more than an hour ago.
  ["09:15", "ben", "/hats/bowler"],
];

const [which = "morning"] = process.argv.slice(2);
const clicks = which === "late" ? LATE : MORNING;
const kinesis = new Kinesis({});
const { FailedRecordCount } = await kinesis.putRecords({
  StreamName: STREAM,
  Records: clicks.map(([time, user, page]) => ({
    PartitionKey: user,
    Data: Buffer.from(JSON.stringify({ user, page, time: `2026-03-02T${time}:00Z` })),
  })),
});
if (FailedRecordCount) throw new Error(`${FailedRecordCount} of ${clicks.length} clicks were not taken: put them once more.`);
console.log(`${clicks.length} clicks in ${STREAM}`);
