import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isLambentError } from "../../src/base/index.ts";
import { DEPTH_MAX, XML_ATTRIBUTES_MAX, XML_ELEMENTS_MAX } from "../../src/wire/bounds.ts";
import { escapeXml } from "../../src/wire/codec/xml.ts";
import { parseXml, type XmlElement } from "../../src/wire/codec/xml-document.ts";

const SEED = Number(process.env["LAMBENT_TEST_SEED"] ?? 20_261_121);
const parse = (text: string): XmlElement => parseXml(Buffer.from(text, "utf8"));
const nested = (depth: number): string => "<a>".repeat(depth) + "</a>".repeat(depth);

describe("an XML document", () => {
  for (const [what, text, expected] of [
    ["text as it is, white space too", "<a> b\n\tc </a>", " b\n\tc "],
    ["ends of lines as XML has them", "<a>b\r\nc\rd</a>", "b\nc\nd"],
    ["references, named and numeric", "<a>&lt;&gt;&amp;&quot;&apos;&#10;&#xD;&#x6c34;&#128512;</a>", "<>&\"'\n\r水😀"],
    ["a reference only once", "<a>&amp;lt;</a>", "&lt;"],
    ["CDATA", "<a>b<![CDATA[<c>&amp;]] >]]>d</a>", "b<c>&amp;]] >d"],
    ["nothing of comments", "<!-- x --><a>b<!-- <c> & -->d</a><!-- y -->", "bd"],
    ["a declaration and a byte order mark", '\ufeff<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<a>ä水</a>\n', "ä水"],
  ] as const) {
    test(`is read with ${what}`, () => assert.equal(parse(text).text, expected));
  }

  test("has names without their prefixes, attributes too, and no declarations of namespaces", () => {
    const { name, children } = parse(
      `<s:a xmlns:s="urn:s" xmlns="urn:d"><Grantee xmlns:xsi="urn:i" xsi:type = 'Canonical&#85;ser'  other="b&#10;c\nd"/></s:a>`,
    );
    assert.equal(name, "a");
    assert.deepEqual(
      children.map((child) => [child.name, ...child.attributes]),
      [["Grantee", ["type", "CanonicalUser"], ["other", "b c d"]]],
    );
  });

  test("gives back any text that was written escaped", () => {
    const writable = fc.string({ unit: "grapheme" }).filter((text) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text));
    fc.assert(
      fc.property(writable, (text) => assert.equal(parse(`<a>${escapeXml(text)}</a>`).text, text.toWellFormed())),
      { seed: SEED, numRuns: 500 },
    );
  });

  const laughs = `<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>`;
  for (const [what, text, message] of [
    ["an entity bomb", laughs, /DOCTYPE/],
    ["a DOCTYPE that names a file", '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', /DOCTYPE/],
    ["an entity of its own", "<a>&b;</a>", /reference/],
    ["a bare ampersand", "<a>b & c</a>", /reference/],
    ["a reference to a character that XML has not", "<a>&#0;</a>", /reference/],
    ["a reference to half a character", "<a>&#xd800;</a>", /reference/],
    ["a reference beyond Unicode", "<a>&#x110000;</a>", /reference/],
    ["a control character", "<a>\u0001</a>", /control character/],
    ["a processing instruction", "<?php x?><a/>", /processing instruction/],
    ["a second declaration", '<?xml version="1.0"?><a/><?xml version="1.0"?>', /processing instruction/],
    ["another encoding", '<?xml version="1.0" encoding="UTF-16"?><a/>', /declared as UTF-16/],
    ["a malformed declaration", "<?xml encoding='utf-8'?><a/>", /declaration is malformed/],
    ["no element", "<!-- nothing -->", /has no element/],
    ["two roots", "<a/><b/>", /more than one root/],
    ["text beside its root", "<a/>b", /outside its root/],
    ["CDATA beside its root", "<a/><![CDATA[b]]>", /outside its root/],
    ["an element that is not closed", "<a><b></b>", /ends inside the element a/],
    ["elements that cross", "<a><b></a></b>", /end of a where it is not open/],
    ["an end without a start", "</a>", /end of a/],
    ["a comment without end", "<a><!-- b</a>", /comment/],
    ["two hyphens in a comment", "<a><!-- b -- c --></a>", /comment/],
    ["CDATA without end", "<a><![CDATA[b</a>", /CDATA/],
    ["the end of CDATA alone", "<a>]]></a>", /\]\]>/],
    ["an attribute twice", '<a b="1" b="2"/>', /tag of the element a is malformed/],
    ["an attribute without quotes", "<a b=1/>", /malformed/],
    ["attributes without space between", '<a b="1"c="2"/>', /malformed/],
    ["a tag that does not end", "<a", /malformed/],
    ["a name that is none", "<1a/>", /without a name/],
    ["elements too deep", nested(DEPTH_MAX + 1), /nested deeper than 64/],
    ["too many elements", `<a>${"<b/>".repeat(XML_ELEMENTS_MAX)}</a>`, /more than 100000 elements/],
    ["too many attributes", `<a ${Array.from({ length: XML_ATTRIBUTES_MAX + 1 }, (_, index) => `b${index}=""`).join(" ")}/>`, /malformed/],
    ["JSON in it", "{}", /outside its root/],
  ] as const) {
    test(`with ${what} is refused`, () => {
      assert.throws(
        () => parse(text),
        (error) => isLambentError(error, "MalformedRequest") && error.details["what"] === "xml" && message.test(error.message),
      );
    });
  }

  test("that is no UTF-8 is refused", () => {
    assert.throws(
      () => parseXml(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])),
      (error) => isLambentError(error, "MalformedRequest") && /not UTF-8/.test(error.message),
    );
  });

  test("may be as deep as the bound", () => assert.equal(parse(nested(DEPTH_MAX)).name, "a"));

  test("of megabytes that lead a reader astray is done with at once", { timeout: 20_000 }, () => {
    const megabytes = (text: string): string => text.repeat(Math.ceil((3 * 1024 * 1024) / text.length));
    for (const text of [
      `<a${megabytes(" ")}`,
      `<a ${megabytes("b")}`,
      `<a b="${megabytes("c")}`,
      `<a b${megabytes(" ")}`,
      `<a>${megabytes("&")}`,
      `<a>${megabytes("&#1")}`,
      `<a>${megabytes("&amp;")}`,
      `<a>${megabytes("]]")}`,
      `<a>${megabytes("<![CDATA[]]>")}`,
      `<a>${megabytes("<!-->")}`,
      `<a>${megabytes("<!---->")}`,
      `<?xml version${megabytes(" ")}`,
      megabytes("<"),
      megabytes("<!--"),
      megabytes("\r"),
    ]) {
      assert.throws(
        () => parse(text),
        (error) => isLambentError(error, "MalformedRequest") && error.message.length < 500,
      );
    }
  });
});
