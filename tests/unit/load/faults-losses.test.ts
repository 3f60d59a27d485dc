/** `bun run faults` notices when the service tells that it has lost what it has not lost. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lossesTold } from "../../../load/faults/losses.ts";

test("jobs that are told to be lost are counted in the logs of all workers, and nothing else is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hydraulic-losses-"));
  try {
    const other = '--- begins\n{"level":"info","msg":"job completed"}\n';
    const lost = '{"level":"error","job_id":"01a2","total":5,"msg":"job lost with Redis"}\n';
    await Bun.write(join(folder, "worker-1.log"), other);
    await Bun.write(join(folder, "worker-2.log"), other);
    expect(await lossesTold(folder)).toBe(0);
    await Bun.write(join(folder, "worker-1.log"), lost + other);
    await Bun.write(join(folder, "worker-2.log"), other + lost + lost);
    expect(await lossesTold(folder)).toBe(3);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
