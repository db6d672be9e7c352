import assert from "node:assert/strict";
import { test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import {
  bubblewrapOptions,
  commandLine,
  encodeOptions,
  ENVIRONMENT_BYTES_MAX,
  mountPointsInVar,
  type Layout,
} from "../../src/sandbox/bubblewrap/arguments.ts";

const layout: Layout = {
  hostName: "lambent",
  uid: 61_200,
  network: "joined",
  seccomp: true,
  disableUserNamespaces: false,
  varFolder: "/slots/a/var",
  tmpFolder: "/slots/a/tmp",
  etcFolder: "/slots/a/etc",
  mounts: [{ source: "/somewhere/node", target: "/lambent/tools/node" }],
  environment: { GREETING: "hello" },
  launcher: [],
  command: ["/lambent/tools/node", "main.mjs"],
};

/** Where a run of options begins. */
function position(options: readonly string[], ...run: readonly string[]): number {
  const found = options.findIndex((_, at) => run.every((option, index) => options[at + index] === option));
  assert.notEqual(found, -1, `${run.join(" ")} is among the options`);
  return found;
}

test("the root is made read-only behind every mount", () => {
  const options = bubblewrapOptions(layout);
  const last = position(options, "--remount-ro", "/");
  assert.ok(last > Math.max(options.lastIndexOf("--bind"), options.lastIndexOf("--ro-bind"), options.lastIndexOf("--symlink")));
});

test("all capabilities are dropped before the three that setpriv needs are added", () => {
  const options = bubblewrapOptions(layout);
  assert.ok(position(options, "--cap-drop", "ALL") < position(options, "--cap-add", "CAP_SETUID"));
  assert.equal(bubblewrapOptions({ ...layout, uid: undefined }).includes("--cap-add"), false);
});

test("the parents of a mount are made passable before it", () => {
  const options = bubblewrapOptions(layout);
  const mount = position(options, "--ro-bind", "/somewhere/node", "/lambent/tools/node");
  assert.ok(position(options, "--perms", "0755", "--dir", "/lambent") < mount);
  assert.ok(position(options, "--perms", "0755", "--dir", "/lambent/tools") < mount);
});

test("a library below the instance's own /tmp or /var is mounted behind them, so that it is seen", () => {
  const mounts = ["/tmp/checkout/python", "/var/lib/python"].map((path) => ({ source: path, target: path }));
  const options = bubblewrapOptions({ ...layout, mounts });
  assert.ok(position(options, "--bind", "/slots/a/tmp", "/tmp") < position(options, "--dir", "/tmp/checkout"));
  assert.ok(position(options, "--dir", "/tmp/checkout") < position(options, "--ro-bind", "/tmp/checkout/python", "/tmp/checkout/python"));
  assert.ok(position(options, "--ro-bind", "/slots/a/var", "/var") < position(options, "--ro-bind", "/var/lib/python", "/var/lib/python"));
  assert.deepEqual(mountPointsInVar({ ...layout, mounts }), ["/slots/a/var/lib/python"]);
});

test("with a library below /opt the layers are found there by name", () => {
  position(bubblewrapOptions(layout), "--symlink", "/var/opt", "/opt");
  const options = bubblewrapOptions({ ...layout, mounts: [{ source: "/opt/lib/python", target: "/opt/lib/python" }] });
  assert.ok(position(options, "--dir", "/opt") < position(options, "--symlink", "/var/opt/python", "/opt/python"));
  assert.equal(options.includes("/var/opt"), false);
  assert.equal(options.includes("/opt/lib"), true);
  assert.equal(options.includes("/var/opt/lib"), false);
});

test("no value of the environment stands in a command line", () => {
  assert.equal(
    commandLine({ ...layout, environment: { PASSWORD: "s3cret" } })
      .join(" ")
      .includes("s3cret"),
    false,
  );
});

test("a library that a function asks to preload reaches only its own program, behind setpriv and the launcher", () => {
  const preloading = {
    ...layout,
    launcher: ["/usr/bin/python3", "launcher.py"],
    environment: { LD_PRELOAD: "/var/task/evil.so", GLIBC_TUNABLES: "x=y" },
  };
  assert.equal(bubblewrapOptions(preloading).includes("--setenv"), false);
  const line = commandLine(preloading);
  assert.ok(line.indexOf("LD_PRELOAD=/var/task/evil.so") > line.indexOf("launcher.py"));
  assert.deepEqual(line.slice(-5), [
    "/usr/bin/env",
    "LD_PRELOAD=/var/task/evil.so",
    "GLIBC_TUNABLES=x=y",
    "/lambent/tools/node",
    "main.mjs",
  ]);
});

test("only mode host sees the host's resolver and stays out of a network namespace", () => {
  assert.ok(bubblewrapOptions({ ...layout, network: "host" }).includes("/etc/resolv.conf"));
  assert.equal(bubblewrapOptions({ ...layout, network: "host" }).includes("--unshare-net"), false);
  assert.ok(bubblewrapOptions({ ...layout, network: "own" }).includes("--unshare-net"));
  assert.equal(bubblewrapOptions(layout).includes("/etc/resolv.conf"), false);
});

test("an environment with a zero byte, a bad name, or too long is refused", () => {
  const refused = (environment: Record<string, string>, code: "InvalidParameter" | "LimitExceeded"): void => {
    assert.throws(
      () => bubblewrapOptions({ ...layout, environment }),
      (error) => isLambentError(error, code),
    );
  };
  refused({ A: "x\0--bind\0/\0/" }, "InvalidParameter");
  refused({ "A=B": "x" }, "InvalidParameter");
  refused({ "": "x" }, "InvalidParameter");
  refused({ A: "x".repeat(ENVIRONMENT_BYTES_MAX) }, "LimitExceeded");
});

test("options are separated by zero bytes, so that no value can become another option", () => {
  assert.equal(encodeOptions(["--setenv", "A", "two words\n--bind"]).toString(), "--setenv\0A\0two words\n--bind\0");
});
