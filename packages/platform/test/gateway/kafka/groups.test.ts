/** Consumer groups on the wire, in older and newer versions of their APIs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  deleteGroups,
  describeGroups,
  findCoordinator,
  heartbeat,
  joinGroup,
  KAFKA_ERRORS,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  syncGroup,
} from "../../../src/gateway/kafka/protocol/index.ts";
import { batchOf, put } from "./requests.ts";
import { KafkaWire } from "./wire.ts";
import { openKafkaWorld } from "./world.ts";

test("a group is joined, shared out, kept alive, committed for and left", async () => {
  await using world = await openKafkaWorld({ settings: { partitions: 2 } });
  await using wire = await KafkaWire.open(world.port);
  await put(wire, "t", batchOf(["a", "b"]));
  const coordinator = await wire.ask(findCoordinator, 2, { key: "g" });
  assert.deepEqual([coordinator.errorCode, coordinator.nodeId, coordinator.host, coordinator.port], [0, 1, "127.0.0.1", world.port]);
  const join = {
    groupId: "g",
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: Buffer.from("000100000001000174ffffffff", "hex") }],
  };
  const first = await wire.ask(joinGroup, 9, { ...join, memberId: "" });
  assert.equal(first.errorCode, KAFKA_ERRORS.MEMBER_ID_REQUIRED);
  const { memberId } = first;
  const joined = await wire.ask(joinGroup, 9, { ...join, memberId });
  assert.deepEqual([joined.errorCode, joined.leader, joined.protocolName, joined.members.length], [0, memberId, "range", 1]);
  const { generationId } = joined;
  const assignment = Buffer.from("mine");
  const synced = await wire.ask(syncGroup, 5, { groupId: "g", generationId, memberId, assignments: [{ memberId, assignment }] });
  assert.deepEqual([synced.errorCode, String(synced.assignment)], [0, "mine"]);
  assert.equal((await wire.ask(heartbeat, 4, { groupId: "g", generationId, memberId })).errorCode, 0);
  assert.equal((await wire.ask(heartbeat, 4, { groupId: "g", generationId: 99, memberId })).errorCode, KAFKA_ERRORS.ILLEGAL_GENERATION);
  const committed = await wire.ask(offsetCommit, 8, {
    groupId: "g",
    generationIdOrMemberEpoch: generationId,
    memberId,
    topics: [
      {
        name: "t",
        partitions: [
          { partitionIndex: 1, committedOffset: 7, committedMetadata: "m" },
          { partitionIndex: 9, committedOffset: 1, committedMetadata: null },
        ],
      },
      { name: "none", partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] },
    ],
  });
  const unknown = KAFKA_ERRORS.UNKNOWN_TOPIC_OR_PARTITION;
  assert.deepEqual(
    committed.topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
    [[0, unknown], [unknown]],
  );
  const asked = [{ name: "t", partitionIndexes: [0, 1] }];
  const old = await wire.ask(offsetFetch, 5, { groupId: "g", topics: asked });
  const newer = await wire.ask(offsetFetch, 8, {
    groups: [
      { groupId: "g", topics: asked },
      { groupId: "g", topics: null },
    ],
  });
  assert.deepEqual(
    old.topics[0]?.partitions.map(({ committedOffset }) => committedOffset),
    [-1, 7],
  );
  assert.deepEqual(
    newer.groups.map(({ topics }) => topics[0]?.partitions.map(({ committedOffset }) => committedOffset)),
    [[-1, 7], [7]],
  );
  const described = await wire.ask(describeGroups, 5, { groups: ["g", "none"] });
  assert.deepEqual(
    described.groups.map(({ groupState, members }) => [groupState, members.length]),
    [
      ["Stable", 1],
      ["Dead", 0],
    ],
  );
  assert.deepEqual(
    (await wire.ask(listGroups, 5, { statesFilter: ["Stable"], typesFilter: [] })).groups.map(({ groupId }) => groupId),
    ["g"],
  );
  assert.deepEqual((await wire.ask(listGroups, 5, { statesFilter: [], typesFilter: ["share"] })).groups, []);
  assert.equal((await wire.ask(deleteGroups, 2, { groupsNames: ["g"] })).results[0]?.errorCode, KAFKA_ERRORS.NON_EMPTY_GROUP);
  assert.equal((await wire.ask(leaveGroup, 2, { groupId: "g", memberId })).errorCode, 0);
  const deleted = await wire.ask(offsetDelete, 0, { groupId: "g", topics: [{ name: "t", partitions: [{ partitionIndex: 1 }] }] });
  assert.deepEqual([deleted.errorCode, deleted.topics[0]?.partitions[0]?.errorCode], [0, 0]);
  assert.equal((await wire.ask(deleteGroups, 2, { groupsNames: ["g", "none"] })).results[1]?.errorCode, KAFKA_ERRORS.GROUP_ID_NOT_FOUND);
});
