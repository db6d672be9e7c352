#!/usr/bin/env node
/**
 * `lambent` in a checkout. JavaScript, and the cache on, before the first TypeScript is met: a module that is loaded before
 * that is stripped of its types anew at every start, and for it the whole stripper is loaded. The published package needs
 * none of this and begins with `main.js`.
 */
import { enableCompileCache } from "node:module";

enableCompileCache();
await import("../src/cli/main.ts");
