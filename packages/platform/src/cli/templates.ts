/** Files of a new function, by template. Each comes with a test that runs without a server. */

export const TEMPLATES = {
  node: (name: string) => ({
    "lambent.yaml": document(name, "index.handler"),
    "index.mjs": `export const handler = async (event) => {
  const name = event.name ?? event.queryStringParameters?.name ?? "world";
  return { hello: name };
};
`,
    "index.test.mjs": nodeTest("./index.mjs"),
    "package.json": packageJson(name, "index.test.mjs"),
  }),
  typescript: (name: string) => ({
    "lambent.yaml": document(name, "src/index.handler"),
    "src/index.ts": `interface Greeting {
  readonly name?: string;
  readonly queryStringParameters?: { readonly name?: string };
}

export const handler = async (event: Greeting): Promise<{ hello: string }> => {
  const name = event.name ?? event.queryStringParameters?.name ?? "world";
  return { hello: name };
};
`,
    "src/index.test.ts": nodeTest("./index.ts"),
    "package.json": packageJson(name, "src/index.test.ts"),
    "tsconfig.json": `{
  "compilerOptions": { "target": "es2023", "module": "nodenext", "strict": true, "noEmit": true, "allowImportingTsExtensions": true }
}
`,
  }),
  python: (name: string) => ({
    "lambent.yaml": document(name, "app.handler"),
    "app.py": `def handler(event, context):
    query = event.get("queryStringParameters") or {}
    return {"hello": event.get("name") or query.get("name") or "world"}
`,
    "test_app.py": `import unittest

from app import handler


class HandlerTest(unittest.TestCase):
    def test_greets_by_name(self):
        self.assertEqual(handler({"name": "Ada"}, None), {"hello": "Ada"})

    def test_greets_the_world_without_a_name(self):
        self.assertEqual(handler({}, None), {"hello": "world"})


if __name__ == "__main__":
    unittest.main()
`,
  }),
} as const satisfies Record<string, (name: string) => Readonly<Record<string, string>>>;

/** The command that runs a template's test. */
export const TEST_COMMANDS: Readonly<Record<keyof typeof TEMPLATES, string>> = {
  node: "npm test",
  typescript: "npm test",
  python: "python3 -m unittest",
};

function document(name: string, handler: string): string {
  return `app: ${name}\nfunctions:\n  ${name}:\n    code: .\n    handler: ${handler}\n    memory: 128\n    timeout: 3s\n`;
}

function packageJson(name: string, test: string): string {
  return `${JSON.stringify({ name: name.toLowerCase(), private: true, type: "module", scripts: { test: `node --test ${test}` } }, undefined, 2)}\n`;
}

function nodeTest(module: string): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { handler } from "${module}";

test("greets by name", async () => {
  assert.deepEqual(await handler({ name: "Ada" }), { hello: "Ada" });
});

test("greets the world without a name", async () => {
  assert.deepEqual(await handler({}), { hello: "world" });
});
`;
}
