import { Kinesis } from "@aws-sdk/client-kinesis";
import { handler as average } from "../sliding-average/index.mjs";

const kinesis = new Kinesis({});

interface Ten {
  readonly key: string;
  readonly window: { readonly start: number; readonly end: number };
  readonly data: readonly number[];
}

/** Called with the last ten values: has the handler of `sliding-average` work on them, and puts what it answers into a stream. */
export const handler = async (event: Ten) => {
  const { averages } = await average(event);
  const result = { key: event.key, at: event.window.end - 1, data: event.data, average: averages.at(-1) };
  await kinesis.putRecord({ StreamName: process.env["RESULTS"], PartitionKey: event.key, Data: Buffer.from(JSON.stringify(result)) });
  return result;
};
