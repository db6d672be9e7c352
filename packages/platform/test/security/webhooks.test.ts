import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { describe, it } from "node:test";
import fc from "fast-check";
import { verifyWebhook, WEBHOOK_STYLES, type WebhookStyle } from "../../src/security/index.ts";

interface Vector {
  readonly name: string;
  readonly secret: string;
  readonly id: string;
  readonly timestamp: number;
  readonly body: string;
  readonly signature: string;
  readonly now: number;
  readonly valid: boolean;
}

const { vectors } = JSON.parse(readFileSync(new URL("../fixtures/standard-webhooks/vectors.json", import.meta.url), "utf8")) as {
  vectors: readonly Vector[];
};

const NOW_SECONDS = 1_614_265_330;
const NOW = NOW_SECONDS * 1_000;
const BODY = Buffer.from('{"test": 2432232314}');

const standard = ({ id, timestamp, signature }: Pick<Vector, "id" | "timestamp" | "signature">): IncomingHttpHeaders => ({
  "webhook-id": id,
  "webhook-timestamp": String(timestamp),
  "webhook-signature": signature,
});

const hex = (secret: string, text: string): string => createHmac("sha256", secret).update(text).digest("hex");
const check = (style: WebhookStyle, headers: IncomingHttpHeaders, secrets: readonly string[], now = NOW, body = BODY): string => {
  const verdict = verifyWebhook(style, { headers, body }, secrets, now);
  return verdict.kind === "verified" ? "verified" : verdict.why;
};

describe("Standard Webhooks", () => {
  for (const vector of vectors) {
    it(vector.name, () => {
      const verdict = verifyWebhook(
        "standard",
        { headers: standard(vector), body: Buffer.from(vector.body) },
        [vector.secret],
        vector.now * 1_000,
      );
      assert.equal(verdict.kind === "verified", vector.valid, JSON.stringify(verdict));
      if (verdict.kind === "verified") assert.equal(verdict.id, vector.id);
    });
  }

  const published = vectors.find(({ name }) => name === "published");
  assert.ok(published);

  it("a message signed with the old secret is taken while both are configured, and not afterwards", () => {
    const other = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    assert.equal(check("standard", standard(published), [other, published.secret]), "verified");
    assert.equal(check("standard", standard(published), [other]), "signatureWrong");
    assert.equal(check("standard", standard(published), []), "signatureWrong");
  });

  it("the headers of Svix are the same under another name, and are not mixed with the others", () => {
    const svix = Object.fromEntries(Object.entries(standard(published)).map(([name, value]) => [name.replace("webhook", "svix"), value]));
    assert.equal(check("standard", svix, [published.secret]), "verified");
    assert.equal(check("standard", { ...svix, "svix-id": undefined, "webhook-id": published.id }, [published.secret]), "headerMissing");
  });

  it("a whole tolerance away is near, a second more is too far", () => {
    for (const seconds of [-300, 300])
      assert.equal(check("standard", standard(published), [published.secret], NOW + seconds * 1_000 + 999), "verified");
    for (const seconds of [-301, 301])
      assert.equal(check("standard", standard(published), [published.secret], NOW + seconds * 1_000), "timeTooFar");
  });

  it("a header that is missing, empty, repeated or no number is refused", () => {
    for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
      for (const value of [undefined, "", "x".repeat(5_000)])
        assert.equal(check("standard", { ...standard(published), [name]: value }, [published.secret]), "headerMissing", name);
    }
    for (const time of ["soon", "1614265330.5", "-1", "1e9", `${NOW_SECONDS}, ${NOW_SECONDS}`, "9".repeat(40)])
      assert.equal(check("standard", { ...standard(published), "webhook-timestamp": time }, [published.secret]), "headerMalformed", time);
  });
});

describe("GitHub", () => {
  // The example of GitHub's own documentation.
  const secret = "It's a Secret to Everybody";
  const body = Buffer.from("Hello, World!");
  const headers = {
    "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
  };

  it("the documented example verifies, with the delivery's id", () => {
    assert.deepEqual(verifyWebhook("github", { headers, body }, ["old", secret], NOW), {
      kind: "verified",
      id: "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    });
  });

  it("another secret, another body, the SHA-1 header alone, and no signature are refused", () => {
    assert.equal(check("github", headers, ["old"], NOW, body), "signatureWrong");
    assert.equal(check("github", headers, [secret], NOW, Buffer.from("Hello, World?")), "signatureWrong");
    assert.equal(check("github", { "x-hub-signature": `sha1=${"0".repeat(40)}` }, [secret], NOW, body), "headerMissing");
    assert.equal(check("github", { "x-hub-signature-256": `sha1=${"0".repeat(40)}` }, [secret], NOW, body), "headerMalformed");
    assert.equal(check("github", { "x-hub-signature-256": "sha256=" }, [secret], NOW, body), "signatureWrong");
  });
});

describe("Stripe", () => {
  const secret = "whsec_test_secret";
  const good = hex(secret, `${NOW_SECONDS}.${BODY.toString()}`);

  it("a v1 signature over time and body verifies, also beside others", () => {
    assert.equal(check("stripe", { "stripe-signature": `t=${NOW_SECONDS},v1=${good}` }, [secret]), "verified");
    assert.equal(
      check("stripe", { "stripe-signature": `t=${NOW_SECONDS}, v1=${"0".repeat(64)}, v1=${good}, v0=x` }, ["old", secret]),
      "verified",
    );
  });

  it("a v0 signature, another time, another body and another secret are refused", () => {
    assert.equal(check("stripe", { "stripe-signature": `t=${NOW_SECONDS},v0=${good}` }, [secret]), "signatureWrong");
    assert.equal(check("stripe", { "stripe-signature": `t=${NOW_SECONDS + 1},v1=${good}` }, [secret]), "signatureWrong");
    assert.equal(check("stripe", { "stripe-signature": `t=${NOW_SECONDS},v1=${good}` }, ["old"]), "signatureWrong");
    assert.equal(
      check("stripe", { "stripe-signature": `t=${NOW_SECONDS},v1=${good}` }, [secret], NOW, Buffer.from("{}")),
      "signatureWrong",
    );
  });

  it("five minutes are tolerated, a second more is not; a header without a time is malformed", () => {
    assert.equal(check("stripe", { "stripe-signature": `t=${NOW_SECONDS},v1=${good}` }, [secret], NOW + 300_000), "verified");
    assert.equal(check("stripe", { "stripe-signature": `t=${NOW_SECONDS},v1=${good}` }, [secret], NOW + 301_000), "timeTooFar");
    for (const header of ["", `v1=${good}`, `t=now,v1=${good}`, "nonsense"])
      assert.notEqual(check("stripe", { "stripe-signature": header }, [secret]), "verified", header);
  });
});

describe("P8: headers from outside", () => {
  it("end as a verdict, whatever they hold, and never as verified without the secret", () => {
    const names = ["webhook-id", "webhook-timestamp", "webhook-signature", "x-hub-signature-256", "stripe-signature"];
    const value = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constant(String(NOW_SECONDS)),
      fc.string().map((text) => `v1,${text} v1,`),
      fc.string().map((text) => `sha256=${text}`),
      fc.string().map((text) => `t=${NOW_SECONDS},v1=${text}`),
    );
    const headers = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
    const signed = WEBHOOK_STYLES.filter((style) => style !== "none");
    fc.assert(
      fc.property(
        fc.constantFrom(...signed),
        headers,
        fc.uint8Array(),
        fc.array(fc.string(), { maxLength: 3 }),
        (style, given, body, secrets) => {
          assert.equal(verifyWebhook(style, { headers: given, body: Buffer.from(body) }, secrets, NOW).kind, "refused");
        },
      ),
      { numRuns: 500 },
    );
  });

  it("what is not signed is taken as it is by the style none", () => {
    assert.equal(check("none", {}, []), "verified");
  });
});
