/**
 * Run where `prefixOf` gives small disks: a Redis whose disk is full right after a rewrite of its append-only file, and
 * which is killed when it can write again. Prints how many of the values that it took are there after its next start, or
 * that it does not start. `mend`: its file is looked after meanwhile.
 */
import { mkdir } from "node:fs/promises";
import { disksOf } from "../../../load/faults/disks.ts";
import { RedisServer } from "../../../load/faults/servers.ts";
import { emptyDisk, fillDisk } from "../../../load/faults/small-disks.ts";
import { Supervised } from "../../../load/faults/supervised.ts";
import { createLogger } from "../../../src/ops/log.ts";
import { choosePort } from "../../../src/services/free-port.ts";
import { privateSpecs } from "../../../src/services/private-specs.ts";
import { dataPaths, prepareFolders } from "../../../src/services/state-file.ts";
import { AppendOnlyFile } from "../../../src/stream/append-only-file.ts";
import { until } from "../until.ts";

const [folder = "", mode = ""] = process.argv.slice(2);
const VALUE = Buffer.alloc(8_192, "v");
const START_MS = 60_000;
/** Without help it is not expected to start. */
const START_UNMENDED_MS = 4_000;

const { redis: disk } = disksOf(folder);
const paths = { ...dataPaths(folder), redis: `${disk}/redis` };
await prepareFolders(paths);
await mkdir(disk, { recursive: true });
const quiet = { info: () => undefined, warn: () => undefined };
const { redis: spec } = await privateSpecs(
  {
    ...{ dataDir: folder, runtimeDir: new URL("../../../.data/runtime", import.meta.url).pathname },
    ...{ durability: "everysec", log: quiet, progress: { step: () => undefined, amount: () => undefined } },
  },
  paths,
);
const server = new RedisServer(spec, await choosePort(undefined, []));
const unit = new Supervised("redis", server);
unit.start();
await until("Redis is ready", () => unit.isReady(), START_MS);
const { redis } = server;

/** Values that were taken. */
let taken = 0;
const put = async () => {
  await redis.set(`value:${taken}`, VALUE);
  taken += 1;
};
const isRefused = () =>
  put().then(
    () => false,
    () => true,
  );
const rewriting = async () => /aof_rewrite_in_progress:1/.test(await redis.info("persistence"));

for (let i = 0; i < 20; i += 1) await put();
await redis.bgrewriteaof();
await until("the file is written anew", async () => !(await rewriting()));
for (let i = 0; i < 20; i += 1) await put();
fillDisk(disk);
await until("Redis refuses", isRefused);
await server.hurt();
const file = new AppendOnlyFile(redis, createLogger({ level: "error", format: "json" }));
// Nobody looks while the disk is full: `mend` has to see afterwards that it was.
await emptyDisk(disk);
await until("Redis takes values again", async () => !(await isRefused()));
if (mode === "mend")
  await until("the file is whole", async () => {
    await file.look();
    return (await server.isMended()) && !(await rewriting());
  });
await put();
await unit.kill(0);
try {
  await until("Redis is ready", () => unit.isReady(), mode === "mend" ? START_MS : START_UNMENDED_MS);
  console.log(`taken ${taken}, there ${(await redis.keys("value:*")).length}`);
} catch {
  console.log("it does not start");
}
server.close();
await unit.close("SIGKILL", 1_000);
process.exit();
