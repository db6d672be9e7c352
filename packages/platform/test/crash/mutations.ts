import { CHECKS } from "./checks.ts";

/** A fault put into the engine's source text, and the check that has to find it. */
export interface Mutation {
  /** The end of the module's address. */
  readonly module: string;
  readonly edits: readonly { readonly from: string; readonly to: string }[];
  /** The part of the rig in which it shows. */
  readonly mode:
    | "kill"
    | "power"
    | "lying fsync"
    | "objects, kill"
    | "objects, a named file"
    | "streams, kill"
    | "streams, two kills"
    | "streams, a lost answer";
  /** Costs little, for what the server does, and is looked for by `npm test`. */
  readonly isQuick?: boolean;
  readonly foundBy: (typeof CHECKS)[keyof typeof CHECKS];
}

const SYNC = "synchronous=FULL";
const COMMIT_OF_OBJECT =
  "if (deliveries.length > 0) await this.outbox.accept(deliveries, { rows: all });\n    else await this.outbox.writeRows(all);";
/** As long as many commits take: a client sees it in most lives. */
const A_WHILE = "await new Promise((resolve) => setTimeout(resolve, 100));";

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "no fsync of the log": {
    module: "/storage/sqlite/connection.ts",
    edits: [{ from: SYNC, to: "synchronous=OFF" }],
    mode: "power",
    foundBy: CHECKS.opens,
  },
  "fsync of the log only at checkpoints": {
    module: "/storage/sqlite/connection.ts",
    edits: [{ from: SYNC, to: "synchronous=NORMAL" }],
    mode: "power",
    foundBy: CHECKS.kept,
  },
  "acknowledged before the commit": {
    module: "/storage/sqlite/writer.ts",
    edits: [
      {
        from: "this.#statements.begin.run();",
        to: "if (this.#database.isTransaction) this.#statements.commit.run(); this.#statements.begin.run();",
      },
      { from: "      this.#statements.commit.run();\n      failpoint", to: "      failpoint" },
    ],
    mode: "power",
    foundBy: CHECKS.kept,
  },
  "no fsync of a body's folder": {
    module: "/storage/sync-folder.ts",
    edits: [{ from: "await handle.sync();", to: "" }],
    mode: "power",
    foundBy: CHECKS.kept,
  },
  "no fsync of the folder of an object's file": {
    module: "/storage/bodies/bodies.ts",
    edits: [{ from: "await onDisk(() => this.#syncs.sync(folder));", to: "" }],
    mode: "power",
    foundBy: CHECKS.kept,
  },
  "no fsync of the folder above the data folder": {
    module: "/storage/make-folders.ts",
    edits: [{ from: "await syncFolder(dirname(folder)).catch(", to: "await Promise.resolve().catch(" }],
    mode: "power",
    foundBy: CHECKS.kept,
  },
  "outcomes are not recorded": {
    module: "/storage/work-list/list-state.ts",
    edits: [{ from: "this.changes.putOwn(rows);", to: "" }],
    mode: "kill",
    foundBy: CHECKS.outcome,
  },
  "the lock of a group is ignored": {
    module: "/storage/work-list/ready-groups.ts",
    edits: [{ from: "|| group.leased === 0;", to: "|| group.leased >= 0;" }],
    mode: "kill",
    foundBy: CHECKS.lease,
  },
  "a log whose fsync failed is written on": {
    module: "/storage/sqlite/schema.ts",
    edits: [{ from: "if (!endedByClose) copyLog(database, file);", to: "" }],
    mode: "lying fsync",
    foundBy: CHECKS.kept,
  },
  "deliveries are not remembered": {
    module: "/storage/work-list/list-state.ts",
    edits: [{ from: "if (delivery) this.#noteDelivered(delivery.source, delivery.number);", to: "" }],
    mode: "kill",
    foundBy: CHECKS.crossed,
  },
  "an object is acknowledged before its commit": {
    module: "/objects/bucket-cell.ts",
    edits: [
      {
        from: COMMIT_OF_OBJECT,
        to: `setTimeout(() => void this.outbox.accept(deliveries, { rows: all }), 40);`,
      },
    ],
    mode: "objects, kill",
    foundBy: CHECKS.kept,
  },
  "the file of a replaced object goes before the commit": {
    module: "/objects/bucket-cell.ts",
    edits: [{ from: COMMIT_OF_OBJECT, to: `for (const files of leaves) await this.loose.discard(files); ${A_WHILE} ${COMMIT_OF_OBJECT}` }],
    mode: "objects, kill",
    foundBy: CHECKS.bodies,
  },
  "an object's file has no row while it is written": {
    module: "/objects/loose-files.ts",
    edits: [{ from: "await this.#parts.outbox.writeRows([looseRow(files)]);", to: "" }],
    mode: "objects, a named file",
    foundBy: CHECKS.files,
  },
  "the file of a replaced object has no row until it is removed": {
    module: "/objects/bucket-cell.ts",
    edits: [{ from: ", ...leaves.map(looseRow)];", to: "];" }],
    mode: "objects, kill",
    foundBy: CHECKS.files,
  },
  "an object is told before its commit": {
    module: "/objects/bucket-cell.ts",
    edits: [{ from: COMMIT_OF_OBJECT, to: `await this.outbox.accept(deliveries); ${A_WHILE} await this.outbox.writeRows(all);` }],
    mode: "objects, kill",
    foundBy: CHECKS.kept,
  },
  "an object is told behind its commit": {
    module: "/objects/bucket-cell.ts",
    edits: [{ from: COMMIT_OF_OBJECT, to: `await this.outbox.writeRows(all); setTimeout(() => void this.outbox.accept(deliveries), 40);` }],
    mode: "objects, kill",
    foundBy: CHECKS.told,
  },
  "a completed upload stays under way": {
    module: "/objects/multipart/uploads.ts",
    edits: [{ from: "[...end.rows, this.#answers.row(key, uploadId, object)]", to: "[this.#answers.row(key, uploadId, object)]" }],
    mode: "objects, kill",
    foundBy: CHECKS.settled,
  },
  "no fsync of an object's file": {
    module: "/storage/write-file.ts",
    edits: [{ from: "    await this.#file.datasync();\n  }", to: "  }" }],
    mode: "power",
    foundBy: CHECKS.kept,
  },
  "a record of a stream is acknowledged before its commit": {
    module: "/streams/partition/partition.ts",
    edits: [
      {
        from: "const { segmentBegan } = await this.#log.append(",
        to: `plan.tell(); ${A_WHILE} const { segmentBegan } = await this.#log.append(`,
      },
    ],
    mode: "streams, kill",
    foundBy: CHECKS.kept,
  },
  "the index of a stream begins a row too late": {
    module: "/streams/partition/log.ts",
    edits: [
      { from: "const segment = { offset: this.#end, position, ", to: "const segment = { offset: this.#end, position: position + 1, " },
    ],
    mode: "streams, kill",
    foundBy: CHECKS.kept,
  },
  "numbered producers are forgotten with the process": {
    module: "/streams/partition/log.ts",
    edits: [{ from: "if (producerId !== NO_PRODUCER_ID) {", to: "if (producerId < NO_PRODUCER_ID) {" }],
    mode: "streams, a lost answer",
    foundBy: CHECKS.once,
  },
  "a group's offset is acknowledged before its commit": {
    module: "/streams/groups/coordinated-group.ts",
    edits: [{ from: "await this.rows.write(this.#isNoted", to: "void this.rows.write(this.#isNoted" }],
    mode: "streams, kill",
    foundBy: CHECKS.groups,
  },
  "the stamps of a window's results are not looked at": {
    module: "/streams/partition/append-plan.ts",
    edits: [{ from: "const before = repeated(producer, once);", to: "const before = undefined as ReturnType<typeof repeated>;" }],
    mode: "streams, two kills",
    foundBy: CHECKS.windows,
    isQuick: true,
  },
  "a window's results go out before its position is kept": {
    module: "/windows/engine/runner.ts",
    edits: [
      {
        from: "committing = this.#cell.append(row).then(() => this.#handOver(rows));",
        to: `this.#handOver(rows); committing = (async () => { ${A_WHILE} await this.#cell.append(row); })();`,
      },
    ],
    mode: "streams, kill",
    foundBy: CHECKS.windows,
  },
  "results count as taken before they are": {
    module: "/windows/sinks/stream-sink.ts",
    edits: [{ from: "const shares = sharesOf(row, route);", to: `progress(endOf(row)); ${A_WHILE} const shares = sharesOf(row, route);` }],
    mode: "streams, kill",
    foundBy: CHECKS.windows,
  },
  "a mapping's position goes on before its batch is on record": {
    module: "/sources/stream/shard-book.ts",
    edits: [
      {
        from: "await this.#accept(deliveries, rows, latest(entries));",
        to: `await this.#accept([], rows, []); ${A_WHILE} await this.#accept(deliveries, [], latest(entries));`,
      },
    ],
    mode: "streams, kill",
    foundBy: CHECKS.mapping,
  },
};

/** The module's text with the fault in it. Throws when the text to change is not there once: then the fault has to be put elsewhere. */
export function mutated({ module, edits }: Mutation, text: string): string {
  let changed = text;
  for (const { from, to } of edits) {
    if (changed.split(from).length !== 2) throw new TypeError(`${module} has not exactly once: ${from}`);
    changed = changed.replace(from, to);
  }
  return changed;
}
