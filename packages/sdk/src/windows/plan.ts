/** A definition's aggregates as they are computed: which field each reads, and where its state lies. */
import { type Box, Collect, Distinct, Frequent, Largest, Quantiles } from "./boxes/index.ts";
import type { AggregateSpec, JsonValue, SimpleAggregate, WindowDefinition } from "./definition.ts";
import { bytesOf, fieldOf, KEPT_VALUE_BYTES_MAX } from "./json-values.ts";
import { LANE_OPERATIONS, type LaneAggregate, type LaneOperation, NUMBER_MAGNITUDE_MAX } from "./lane-operations.ts";
import type { SetAsideReason } from "./output.ts";

/** An aggregate whose state is doubles. */
export interface LaneColumn {
  readonly name: string;
  readonly aggregate: LaneAggregate;
  readonly operation: LaneOperation;
  readonly path: readonly string[] | undefined;
  /** First of its lanes among those of a window. */
  readonly lane: number;
}

/** What an aggregate of values does. */
export type BoxKind =
  | { readonly kind: "first" | "last" | "distinct" }
  | { readonly kind: "topK" | "largest" | "collect"; readonly most: number }
  | { readonly kind: "quantiles"; readonly asked: readonly number[] };

/** An aggregate with an object of its own. */
export interface BoxColumn {
  readonly name: string;
  readonly box: BoxKind;
  readonly needs: "number" | "json";
  readonly path: readonly string[] | undefined;
}

/** Why a value cannot be taken, and which aggregate says so. */
export interface ReadingFault {
  readonly reason: SetAsideReason;
  readonly aggregate: string;
}

/** The name under which faults of a rolling window's own values are told. */
const DATA = "data";

export class Plan {
  /** In the order of the definition, for results. */
  readonly names: readonly string[];
  readonly laneColumns: readonly LaneColumn[];
  readonly boxColumns: readonly BoxColumn[];
  /** Doubles of one window. */
  readonly lanes: number;
  /** Whether values as a whole are kept. */
  readonly keepsWhole: boolean;
  /** What `read` found of the last value, by column. */
  readonly numbers: Float64Array;
  readonly values: JsonValue[] = [];

  constructor({ window, aggregates }: Pick<WindowDefinition, "window" | "aggregates">) {
    this.names = Object.keys(aggregates);
    const laneColumns: LaneColumn[] = [];
    const boxColumns: BoxColumn[] = [];
    let lanes = 0;
    // By name, so that the order in which they are written down makes no other state.
    for (const name of this.names.toSorted()) {
      const { aggregate, path } = asked(aggregates[name] ?? "count");
      if (typeof aggregate === "string") {
        const operation = LANE_OPERATIONS[aggregate];
        laneColumns.push({ name, aggregate, operation, path, lane: lanes });
        lanes += operation.lanes;
      } else boxColumns.push({ name, box: aggregate, needs: needsOf(aggregate), path });
    }
    this.laneColumns = laneColumns;
    this.boxColumns = boxColumns;
    this.lanes = lanes;
    this.keepsWhole = window.kind === "rolling";
    this.numbers = new Float64Array(laneColumns.length);
  }

  /** Takes out of `value` what the aggregates need, into `numbers` and `values`; all of it, or a reason why not. */
  read(value: unknown, time: number): ReadingFault | undefined {
    for (let at = 0; at < this.laneColumns.length; at++) {
      const column = this.laneColumns[at] as LaneColumn;
      if (column.operation.input === "number") {
        const found = column.path === undefined ? value : fieldOf(value, column.path);
        const reason = faultOfNumber(found);
        if (reason !== undefined) return { reason, aggregate: column.name };
        this.numbers[at] = found as number;
      } else this.numbers[at] = time;
    }
    for (let at = 0; at < this.boxColumns.length; at++) {
      const column = this.boxColumns[at] as BoxColumn;
      const found = fieldOf(value, column.path);
      const reason = column.needs === "number" ? faultOfNumber(found) : faultOfValue(found);
      if (reason !== undefined) return { reason, aggregate: column.name };
      this.values[at] = found as JsonValue;
    }
    const reason = this.keepsWhole ? faultOfValue(value) : undefined;
    return reason === undefined ? undefined : { reason, aggregate: DATA };
  }

  /** A fresh box of a column. */
  makeBox({ box }: BoxColumn): Box {
    switch (box.kind) {
      case "first":
      case "last":
        return new Collect(1, box.kind, "one");
      case "collect":
        return new Collect(box.most, "last", "list");
      case "distinct":
        return new Distinct();
      case "topK":
        return new Frequent(box.most);
      case "largest":
        return new Largest(box.most);
      case "quantiles":
        return new Quantiles(box.asked);
    }
  }

  /** Results by name, in the order of the definition. */
  inOrder(results: ReadonlyMap<string, JsonValue>): Readonly<Record<string, JsonValue>> {
    const values: Record<string, JsonValue> = {};
    for (const name of this.names) values[name] = results.get(name) ?? null;
    return values;
  }
}

function asked(spec: AggregateSpec): { readonly aggregate: LaneAggregate | BoxKind; readonly path: readonly string[] | undefined } {
  if (typeof spec === "string") return { aggregate: simple(spec), path: undefined };
  const path = spec.of?.split(".");
  if ("take" in spec) return { aggregate: simple(spec.take), path };
  if ("topK" in spec) return { aggregate: { kind: "topK", most: spec.topK }, path };
  if ("largest" in spec) return { aggregate: { kind: "largest", most: spec.largest }, path };
  if ("collect" in spec) return { aggregate: { kind: "collect", most: spec.collect }, path };
  return { aggregate: { kind: "quantiles", asked: spec.quantiles }, path };
}

function simple(aggregate: SimpleAggregate): LaneAggregate | BoxKind {
  return aggregate === "first" || aggregate === "last" || aggregate === "distinct" ? { kind: aggregate } : aggregate;
}

function needsOf({ kind }: BoxKind): "number" | "json" {
  return kind === "quantiles" || kind === "largest" ? "number" : "json";
}

function faultOfNumber(found: unknown): SetAsideReason | undefined {
  if (typeof found === "number" && Math.abs(found) <= NUMBER_MAGNITUDE_MAX) return undefined;
  if (found === undefined) return "missing";
  return typeof found === "number" && Number.isFinite(found) ? "tooLarge" : "notANumber";
}

function faultOfValue(found: unknown): SetAsideReason | undefined {
  if (found === undefined) return "missing";
  const bytes = bytesOf(found);
  if (bytes === undefined) return "notJson";
  return bytes > KEPT_VALUE_BYTES_MAX ? "tooLarge" : undefined;
}
