import assert from "node:assert/strict";
import { createPublicKey, X509Certificate } from "node:crypto";
import { it } from "node:test";
import { selfSignedCertificate } from "../../src/topics/certificate.ts";
import { testKey } from "./world.ts";

it("a certificate reads as what was claimed, and is signed by its own key", async () => {
  const privateKey = await testKey();
  const from = Date.UTC(2026, 10, 21, 20, 4, 5);
  for (const [first, until] of [
    [0x00, Date.UTC(2046, 0, 2)],
    [0xff, Date.UTC(2056, 0, 2)],
  ] as const) {
    const serial = Buffer.alloc(16, first);
    const certificate = new X509Certificate(selfSignedCertificate(privateKey, { commonName: "Lambent ü", serial, from, until }));
    assert.ok(certificate.verify(createPublicKey(privateKey)));
    assert.ok(certificate.checkIssued(certificate));
    assert.equal(certificate.subject, "CN=Lambent ü");
    assert.equal(certificate.issuer, certificate.subject);
    assert.equal(Date.parse(certificate.validFrom), from);
    assert.equal(Date.parse(certificate.validTo), until);
    assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/);
    assert.deepEqual(
      certificate.publicKey.export({ type: "spki", format: "der" }),
      createPublicKey(privateKey).export({ type: "spki", format: "der" }),
    );
  }
});
