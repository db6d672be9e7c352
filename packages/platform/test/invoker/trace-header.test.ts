import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  eventOf,
  hopsOf,
  newTraceHeader,
  RECURSION_HOPS_MAX,
  TRACE_HEADER_LENGTH_MAX,
  traceHeaderOf,
  withEvent,
  withHop,
} from "../../src/invoker/trace-header.ts";

const ID = "01a1fefc-9c5a-7be4-83b9-d41a22e2d8f9";
const arn = (name: string, qualifier = ""): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}${qualifier}`;

describe("a trace header", () => {
  test("of a call that brings none is as X-Ray writes it, and no two are alike", () => {
    const header = newTraceHeader(ID, 1_795_000_000_000);
    assert.match(header, /^Root=1-6afd86c0-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/u);
    assert.notEqual(newTraceHeader(ID.replace("d41a", "d41b"), 1_795_000_000_000), header);
    assert.equal(traceHeaderOf(header), header);
  });

  test("counts the calls of each function in a chain, its versions and aliases together", () => {
    let header = newTraceHeader(ID, 0);
    assert.equal(hopsOf(undefined, arn("a")), 0);
    for (let hop = 0; hop < RECURSION_HOPS_MAX; hop++)
      header = withHop(withHop(header, arn("a", hop % 2 ? ":prod" : ":$LATEST")), arn("b"));
    assert.deepEqual([hopsOf(header, arn("a")), hopsOf(header, arn("b")), hopsOf(header, arn("c"))], [16, 16, 0]);
  });

  test("stays bounded however many functions a chain has, and forgets the oldest", () => {
    let header = newTraceHeader(ID, 0);
    for (let count = 0; count < 200; count++) header = withHop(header, arn(`f${count}`));
    assert.ok(withEvent(header, ID, ID).length <= TRACE_HEADER_LENGTH_MAX);
    assert.deepEqual([hopsOf(header, arn("f199")), hopsOf(header, arn("f0"))], [1, 0]);
  });

  test("names the event that is handled and the first of its chain", () => {
    const other = ID.replace("01a1", "01a2");
    const header = withEvent(withHop(withEvent(newTraceHeader(ID, 0), ID, ID), arn("a")), other, ID);
    assert.deepEqual(eventOf(header), { cause: other, correlation: ID });
    assert.equal(hopsOf(header, arn("a")), 1);
    assert.equal(eventOf(newTraceHeader(ID, 0)), undefined);
  });

  test("that a caller made up is taken only in its form (P8)", () => {
    const good = newTraceHeader(ID, 0);
    for (const wrong of ["", "Root=1-x", `${good}\r\nX: y`, `${good};a b`, `${good};x=${"y".repeat(TRACE_HEADER_LENGTH_MAX)}`, "Self=1"])
      assert.equal(traceHeaderOf(wrong), undefined, wrong.slice(0, 80));
    const odd = `${good};Lineage=zz:1|1234567:2|12345678:x|::|99999999:99999`;
    assert.match(withHop(odd, arn("a")), /;Lineage=[0-9a-f]{8}:1$/u);
  });
});
