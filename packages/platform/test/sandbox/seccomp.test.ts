import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seccompProgram } from "../../src/sandbox/bubblewrap/seccomp.ts";
import { invariant, unreachable } from "../../src/base/index.ts";

const ALLOW = "allow";

interface SystemCall {
  readonly number: number;
  readonly architecture: number;
  readonly first: number;
}

/** A reader of classic BPF, as far as filters use it: the definition that the program is held against. */
function verdict(program: Buffer, call: SystemCall): string {
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const [code, ifTrue, ifFalse, k] = [
      program.readUInt16LE(at * 8),
      program.readUInt8(at * 8 + 2),
      program.readUInt8(at * 8 + 3),
      program.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x06) return k === 0x7fff0000 ? ALLOW : k === 0x80000000 ? "kill" : `errno ${k & 0xffff}`;
    if (code === 0x20) accumulator = k === 0 ? call.number : k === 4 ? call.architecture : call.first;
    else if (code === 0x15) at += accumulator === k ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= k ? ifTrue : ifFalse;
    else if (code === 0x45) at += (accumulator & k) !== 0 ? ifTrue : ifFalse;
    else unreachable(`instruction ${code}`);
  }
  return unreachable("a filter ends with an answer");
}

function program(architecture: string): Buffer {
  const made = seccompProgram(architecture);
  invariant(made, "the machine type is known");
  return made;
}

const X64 = 0xc000003e;
const ARM64 = 0xc00000b7;
/** Numbers from the kernel's tables: `[x86_64, aarch64, first argument, verdict]`. */
const CASES: Readonly<Record<string, readonly [number, number, number, string]>> = {
  "read is allowed": [0, 63, 0, ALLOW],
  "execve is allowed": [59, 221, 0, ALLOW],
  "the calls setpriv needs are allowed: setresuid": [117, 147, 0, ALLOW],
  "the calls setpriv needs are allowed: prctl": [157, 167, 0, ALLOW],
  "mount is refused": [165, 40, 0, "errno 1"],
  "umount2 is refused": [166, 39, 0, "errno 1"],
  "unshare is refused": [272, 97, 0, "errno 1"],
  "ptrace is refused": [101, 117, 0, "errno 1"],
  "bpf is refused": [321, 280, 0, "errno 1"],
  "keyctl is refused": [250, 219, 0, "errno 1"],
  "setns is refused": [308, 268, 0, "errno 1"],
  "clone3 does not exist": [435, 435, 0, "errno 38"],
  "clone without namespaces is allowed": [56, 220, 0x01200011, ALLOW],
  "clone with a user namespace is refused": [56, 220, 0x10000011, "errno 1"],
  "clone with a cgroup namespace is refused": [56, 220, 0x02000011, "errno 1"],
  "a unix socket is allowed": [41, 198, 1, ALLOW],
  "an inet socket is allowed": [41, 198, 2, ALLOW],
  "an inet6 socket is allowed": [41, 198, 10, ALLOW],
  "a netlink socket is allowed": [41, 198, 16, ALLOW],
  "a packet socket is refused": [41, 198, 17, "errno 97"],
  "a vsock socket is refused": [41, 198, 40, "errno 97"],
};

for (const [title, [x64, arm64, first, wanted]] of Object.entries(CASES)) {
  test(`the system-call filter: ${title}`, () => {
    assert.equal(verdict(program("x64"), { number: x64, architecture: X64, first }), wanted);
    assert.equal(verdict(program("arm64"), { number: arm64, architecture: ARM64, first }), wanted);
  });
}

test("the system-call filter kills what calls by another machine's or the second ABI's numbers", () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(), fc.nat(), (number, architecture, first) => {
      fc.pre(architecture !== X64);
      assert.equal(verdict(program("x64"), { number, architecture, first }), "kill");
      assert.equal(verdict(program("x64"), { number: number + 0x40000000, architecture: X64, first }), "kill");
    }),
  );
});

test("the system-call filter answers every call, and never with a jump outside itself", () => {
  fc.assert(
    fc.property(fc.nat(600), fc.nat(), (number, first) => {
      assert.match(verdict(program("x64"), { number, architecture: X64, first }), /^(allow|errno (1|38|97))$/);
      assert.match(verdict(program("arm64"), { number, architecture: ARM64, first }), /^(allow|errno (1|38|97))$/);
    }),
  );
});

test("a machine type whose calls are not known has no filter", () => {
  assert.equal(seccompProgram("riscv64"), undefined);
});
