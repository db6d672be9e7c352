import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { arnOf, openEvents } from "./world.ts";

const elsewhere = (arn: string): string => arn.replace("us-east-1", "eu-west-1");

describe("an archive and a replay", () => {
  test("are of this account and region: what an ARN of another one names is not here", async (context) => {
    const { events } = await openEvents(context);
    const [bus, archive] = [arnOf("event-bus/default"), arnOf("archive/a")];
    const refused = (work: Promise<unknown>) => assert.rejects(work, { name: "ResourceNotFoundException" });
    await refused(events.createArchive({ ArchiveName: "a", EventSourceArn: elsewhere(bus) }));
    await events.createArchive({ ArchiveName: "a", EventSourceArn: bus });
    const replay = {
      ...{ ReplayName: "r", EventSourceArn: archive, Destination: { Arn: bus } },
      ...{ EventStartTime: new Date(0), EventEndTime: new Date(1_000) },
    };
    await refused(events.startReplay({ ...replay, EventSourceArn: elsewhere(archive) }));
    await refused(events.startReplay({ ...replay, Destination: { Arn: elsewhere(bus) } }));
    await refused(events.listArchives({ EventSourceArn: elsewhere(bus) }));
    await refused(events.listReplays({ EventSourceArn: elsewhere(archive) }));
    assert.equal((await events.listArchives({ EventSourceArn: bus })).Archives?.length, 1);
    assert.equal((await events.startReplay(replay)).State, "STARTING");
  });
});
