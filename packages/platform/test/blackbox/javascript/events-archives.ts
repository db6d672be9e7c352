import assert from "node:assert/strict";
import {
  type ArchiveState,
  type CreateConnectionRequest,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from "@aws-sdk/client-eventbridge";
import { known, type OperationCase, type Stage } from "./cases.ts";
import { arnOf, bus, INVALID, next, NOT_THERE, order, queue, queueArnOf, rule } from "./events-stage.ts";

/** An archive of a bus of the same name. */
async function archive(stage: Stage, name: string): Promise<string> {
  const EventSourceArn = await bus(stage, name);
  return known((await stage.stage.events.createArchive({ ArchiveName: name, EventSourceArn })).ArchiveArn);
}

/** A replay of all that an archive has, of the same name. */
async function replay(stage: Stage, name: string) {
  const EventSourceArn = await archive(stage, name);
  const given = { ReplayName: name, EventSourceArn, EventStartTime: new Date(0), EventEndTime: new Date(1_000) };
  return { ...given, Destination: { Arn: arnOf(`event-bus/${name}`) } };
}

/** Looks until a replay has ended. */
async function untilReplayed({ stage }: Stage, ReplayName: string): Promise<string> {
  for (;;) {
    const { State = "" } = await stage.events.describeReplay({ ReplayName });
    if (State !== "STARTING" && State !== "RUNNING" && State !== "CANCELLING") return State;
  }
}

export const archiveCases = {
  CreateArchive: {
    async does(stage) {
      const EventSourceArn = await bus(stage, "archived");
      const { ArchiveArn, State } = await stage.js.events.createArchive({ ArchiveName: "archived", EventSourceArn, RetentionDays: 7 });
      assert.deepEqual([ArchiveArn, State], [arnOf("archive/archived"), "ENABLED" satisfies ArchiveState]);
    },
    refuses: [({ js }) => js.events.createArchive({ ArchiveName: "x", EventSourceArn: arnOf("event-bus/none") }), ...NOT_THERE],
  },
  UpdateArchive: {
    async does(stage) {
      await archive(stage, "archive-updated");
      await stage.js.events.updateArchive({ ArchiveName: "archive-updated", RetentionDays: 3 });
      assert.equal((await stage.stage.events.describeArchive({ ArchiveName: "archive-updated" })).RetentionDays, 3);
    },
    refuses: [({ js }) => js.events.updateArchive({ ArchiveName: "none" }), ...NOT_THERE],
  },
  DeleteArchive: {
    async does(stage) {
      await archive(stage, "archive-deleted");
      await stage.js.events.deleteArchive({ ArchiveName: "archive-deleted" });
      await assert.rejects(stage.stage.events.describeArchive({ ArchiveName: "archive-deleted" }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.events.deleteArchive({ ArchiveName: "none" }), ...NOT_THERE],
  },
  DescribeArchive: {
    async does(stage) {
      await archive(stage, "archive-described");
      const { EventSourceArn } = await stage.js.events.describeArchive({ ArchiveName: "archive-described" });
      assert.equal(EventSourceArn, arnOf("event-bus/archive-described"));
    },
    refuses: [({ js }) => js.events.describeArchive({ ArchiveName: "none" }), ...NOT_THERE],
  },
  ListArchives: {
    async does(stage) {
      await archive(stage, "archive-listed");
      const { Archives } = await stage.js.events.listArchives({ NamePrefix: "archive-listed" });
      assert.deepEqual(
        Archives?.map(({ ArchiveName }) => ArchiveName),
        ["archive-listed"],
      );
    },
    refuses: [({ js }) => js.events.listArchives({ NextToken: "***" }), ...INVALID],
  },
  StartReplay: {
    async does(stage) {
      const QueueUrl = await queue(stage, "replayed");
      const { EventBusName } = await rule(stage, "replayed", { Id: "q", Arn: queueArnOf("replayed") });
      const EventSourceArn = known(
        (await stage.stage.events.createArchive({ ArchiveName: "replayed", EventSourceArn: arnOf("event-bus/replayed") })).ArchiveArn,
      );
      await stage.stage.events.putEvents({ Entries: [order(EventBusName, 5)] });
      const first = await next(stage, QueueUrl);
      // The archive takes it on its own way.
      for (let count = 0; count === 0;) count = (await stage.stage.events.describeArchive({ ArchiveName: "replayed" })).EventCount ?? 0;
      const [EventStartTime, EventEndTime] = [new Date(0), new Date("2100-01-01")];
      const Destination = { Arn: arnOf("event-bus/replayed") };
      await stage.js.events.startReplay({ ReplayName: "replayed", EventSourceArn, EventStartTime, EventEndTime, Destination });
      const again = await next(stage, QueueUrl);
      assert.deepEqual([again["id"], again["detail"], again["replay-name"]], [first["id"], { n: 5 }, "replayed"]);
    },
    refuses: [
      async (stage) => stage.js.events.startReplay({ ...(await replay(stage, "backwards")), EventEndTime: new Date(0) }),
      ...INVALID,
    ],
  },
  CancelReplay: {
    async does(stage) {
      const { events } = stage.stage;
      const given = await replay(stage, "cancelled");
      // So much that it runs for long: each page is some commits.
      const Entries = Array.from({ length: 10 }, (_, n) => ({ ...order("cancelled", n), Time: new Date(500) }));
      await Promise.all(Array.from({ length: 40 }, () => events.putEvents({ Entries })));
      for (let count = 0; count < 400;) count = (await events.describeArchive({ ArchiveName: "cancelled" })).EventCount ?? 0;
      await events.startReplay(given);
      assert.equal((await stage.js.events.cancelReplay({ ReplayName: "cancelled" })).State, "CANCELLING");
      assert.equal(await untilReplayed(stage, "cancelled"), "CANCELLED");
    },
    refuses: [({ js }) => js.events.cancelReplay({ ReplayName: "none" }), ...NOT_THERE],
  },
  DescribeReplay: {
    async does(stage) {
      await stage.stage.events.startReplay(await replay(stage, "replay-described"));
      await untilReplayed(stage, "replay-described");
      assert.equal((await stage.js.events.describeReplay({ ReplayName: "replay-described" })).State, "COMPLETED");
    },
    refuses: [({ js }) => js.events.describeReplay({ ReplayName: "none" }), ...NOT_THERE],
  },
  ListReplays: {
    async does(stage) {
      await stage.stage.events.startReplay(await replay(stage, "replay-listed"));
      await untilReplayed(stage, "replay-listed");
      const { Replays } = await stage.js.events.listReplays({ NamePrefix: "replay-listed" });
      assert.deepEqual(
        Replays?.map(({ State }) => State),
        ["COMPLETED"],
      );
    },
    refuses: [({ js }) => js.events.listReplays({ NextToken: "***" }), ...INVALID],
  },
} satisfies Record<string, OperationCase>;

const BASIC: Pick<CreateConnectionRequest, "AuthorizationType" | "AuthParameters"> = {
  AuthorizationType: "BASIC",
  AuthParameters: { BasicAuthParameters: { Username: "ada", Password: "hunter2" } },
};

async function connection({ stage }: Stage, Name: string): Promise<string> {
  return known((await stage.events.createConnection({ Name, ...BASIC })).ConnectionArn);
}

async function destination(stage: Stage, Name: string): Promise<string> {
  const ConnectionArn = await connection(stage, Name);
  const given = { Name, ConnectionArn, InvocationEndpoint: "https://api.test/orders", HttpMethod: "POST" } as const;
  return known((await stage.stage.events.createApiDestination(given)).ApiDestinationArn);
}

export const destinationCases = {
  CreateConnection: {
    async does({ js, stage }) {
      await js.events.createConnection({ Name: "made", Description: "an API", ...BASIC });
      const { ConnectionState, AuthParameters } = await stage.events.describeConnection({ Name: "made" });
      assert.deepEqual([ConnectionState, AuthParameters?.BasicAuthParameters], ["AUTHORIZED", { Username: "ada" }]);
    },
    refuses: [
      async (stage) => stage.js.events.createConnection({ Name: (await connection(stage, "twice")) && "twice", ...BASIC }),
      ResourceAlreadyExistsException,
      400,
    ],
  },
  UpdateConnection: {
    async does(stage) {
      await connection(stage, "updated");
      await stage.js.events.updateConnection({ Name: "updated", Description: "changed" });
      assert.equal((await stage.stage.events.describeConnection({ Name: "updated" })).Description, "changed");
    },
    refuses: [({ js }) => js.events.updateConnection({ Name: "none" }), ...NOT_THERE],
  },
  DescribeConnection: {
    async does(stage) {
      await connection(stage, "described");
      assert.equal((await stage.js.events.describeConnection({ Name: "described" })).AuthorizationType, "BASIC");
    },
    refuses: [({ js }) => js.events.describeConnection({ Name: "none" }), ...NOT_THERE],
  },
  ListConnections: {
    async does(stage) {
      await connection(stage, "listed");
      const { Connections } = await stage.js.events.listConnections({ NamePrefix: "listed" });
      assert.deepEqual(
        Connections?.map(({ Name }) => Name),
        ["listed"],
      );
    },
    refuses: [({ js }) => js.events.listConnections({ NextToken: "***" }), ...INVALID],
  },
  DeauthorizeConnection: {
    async does(stage) {
      await connection(stage, "deauthorized");
      await stage.js.events.deauthorizeConnection({ Name: "deauthorized" });
      assert.equal((await stage.stage.events.describeConnection({ Name: "deauthorized" })).ConnectionState, "DEAUTHORIZED");
    },
    refuses: [({ js }) => js.events.deauthorizeConnection({ Name: "none" }), ...NOT_THERE],
  },
  DeleteConnection: {
    async does(stage) {
      await connection(stage, "deleted");
      await stage.js.events.deleteConnection({ Name: "deleted" });
      await assert.rejects(stage.stage.events.describeConnection({ Name: "deleted" }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.events.deleteConnection({ Name: "none" }), ...NOT_THERE],
  },
  CreateApiDestination: {
    async does(stage) {
      const ConnectionArn = await connection(stage, "api-made");
      const given = { Name: "made", ConnectionArn, InvocationEndpoint: "https://api.test/orders", HttpMethod: "POST" } as const;
      await stage.js.events.createApiDestination({ ...given, InvocationRateLimitPerSecond: 5 });
      assert.equal((await stage.stage.events.describeApiDestination({ Name: "made" })).InvocationRateLimitPerSecond, 5);
    },
    refuses: [
      ({ js }) =>
        js.events.createApiDestination({
          ...{ Name: "x", InvocationEndpoint: "https://api.test/", HttpMethod: "POST" },
          ConnectionArn: arnOf("connection/none/11111111-1111-1111-1111-111111111111"),
        }),
      ...NOT_THERE,
    ],
  },
  UpdateApiDestination: {
    async does(stage) {
      await destination(stage, "api-updated");
      await stage.js.events.updateApiDestination({ Name: "api-updated", HttpMethod: "PUT" });
      assert.equal((await stage.stage.events.describeApiDestination({ Name: "api-updated" })).HttpMethod, "PUT");
    },
    refuses: [({ js }) => js.events.updateApiDestination({ Name: "none" }), ...NOT_THERE],
  },
  DescribeApiDestination: {
    async does(stage) {
      await destination(stage, "api-described");
      assert.equal((await stage.js.events.describeApiDestination({ Name: "api-described" })).ApiDestinationState, "ACTIVE");
    },
    refuses: [({ js }) => js.events.describeApiDestination({ Name: "none" }), ...NOT_THERE],
  },
  ListApiDestinations: {
    async does(stage) {
      await destination(stage, "api-listed");
      const { ApiDestinations } = await stage.js.events.listApiDestinations({ NamePrefix: "api-listed" });
      assert.deepEqual(
        ApiDestinations?.map(({ Name }) => Name),
        ["api-listed"],
      );
    },
    refuses: [({ js }) => js.events.listApiDestinations({ NextToken: "***" }), ...INVALID],
  },
  DeleteApiDestination: {
    async does(stage) {
      await destination(stage, "api-deleted");
      await stage.js.events.deleteApiDestination({ Name: "api-deleted" });
      await assert.rejects(stage.stage.events.describeApiDestination({ Name: "api-deleted" }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.events.deleteApiDestination({ Name: "none" }), ...NOT_THERE],
  },
} satisfies Record<string, OperationCase>;
