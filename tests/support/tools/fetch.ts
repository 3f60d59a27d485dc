/** Gets what tests will ask for, beside what else a run begins with: `bun tests/support/tools/fetch.ts`. */
import { chromiumTool } from "./chromium.ts";
import { tool } from "./debian-tools.ts";
import { npmPackages } from "./npm-tools.ts";
import { pythonTool } from "./python-tools.ts";

// Whichever of Debian's is asked for, all of the bundle come.
const found = [
  await tool("promtool"),
  await chromiumTool(),
  await npmPackages("retire"),
  await pythonTool("semgrep"),
  await pythonTool("schemathesis"),
];
for (const one of found) if ("missing" in one) console.log(`Tests will be left out: ${one.missing}`);
