/** `npm run docs`: writes the parts of the documents that are made from code. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedDocuments } from "./support/documents.ts";
import { root } from "./support/source-tree.ts";

for (const { path, text } of generatedDocuments()) {
  writeFileSync(join(root, path), text);
  console.log(`wrote ${path}`);
}
