/** Gets what tests will ask for, beside what else a run begins with: `bun tests/support/tools/fetch.ts`. */
import { tool } from "./debian-tools.ts";

// Whichever is asked for, all of the bundle come.
const found = await tool("promtool");
if ("missing" in found) console.log(`No tools for the tests: ${found.missing}`);
