// Runs in the instance, with nothing but its environment: what a function's code would do. Prints what it found as JSON.
import { execFileSync } from "node:child_process";
import { get } from "node:http";
import { connect } from "node:net";

const seen = {};
const attempt = async (name, act) => {
  seen[name] = await act().catch((error) => `failed: ${error.cause?.code ?? error.code ?? error.message}`);
};
const direct = (port, host) =>
  new Promise((resolve, reject) =>
    connect({ port, host, timeout: 2_000 }, () => resolve("connected"))
      .on("error", reject)
      .on("timeout", () => reject(new Error("timeout"))),
  );
const text = async (url) => {
  const answer = await fetch(url);
  return `${answer.status} ${await answer.text()}`;
};

await attempt("http", () => text("http://public.test/a?b"));
await attempt("https", () => text("https://public.test/secure"));
await attempt(
  "classic",
  () =>
    new Promise((resolve, reject) =>
      get("http://public.test/classic", (answer) => answer.setEncoding("utf8").on("data", resolve)).on("error", reject),
    ),
);
await attempt("address", () => text("http://8.8.4.4/by-address"));
await attempt("hostAddress", () => text("http://8.8.4.1/"));
await attempt("mixed", () => text("http://mixed.test/"));
await attempt("private", () => text("http://private.test/"));
await attempt("rebindingFirst", () => text("http://rebinding.test/"));
await attempt("rebindingSecond", () => text("http://rebinding.test/"));
await attempt("unknownName", () => text("http://nobody.test/"));
await attempt("httpsRefused", () => text("https://mixed.test/"));
await attempt("directPublic", () => direct(80, "8.8.4.4"));
await attempt("directHost", () => direct(80, "8.8.4.1"));

const python = `
import json, os, ssl, urllib.request
context = ssl.create_default_context(cafile=os.environ["NODE_EXTRA_CA_CERTS"])
read = lambda url: urllib.request.urlopen(url, timeout=5, context=context if url.startswith("https") else None).read().decode()
print(json.dumps([read("http://public.test/python"), read("https://public.test/python")]))`;
await attempt("python", async () => JSON.parse(execFileSync("/usr/bin/python3", ["-c", python], { encoding: "utf8" })));

process.stdout.write(`${JSON.stringify(seen)}\n`);
