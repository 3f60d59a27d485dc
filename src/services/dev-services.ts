/**
 * Starts the private services by hand: `bun src/services/dev-services.ts [DATA_DIR] [--always]`. Prints
 * DATABASE_URL and REDIS_URL, ready for a shell's `export`, and stops the services at SIGINT or SIGTERM unless
 * another program of the folder uses them.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureServices } from "./ensure-services.ts";
import { ServicesError } from "./services-error.ts";
import { terminalProgress } from "./terminal-progress.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function main(args: readonly string[]): Promise<void> {
  const folder = args.find((argument) => !argument.startsWith("--")) ?? `${root}/.data`;
  // Before anything is started or told: a signal that comes early must still end in an orderly stop.
  const stopWish = firstStopSignal();
  const services = await ensureServices({
    dataDir: resolve(folder),
    runtimeDir: resolve(root, ".data/runtime"),
    durability: args.includes("--always") ? "always" : "everysec",
    log: {
      info: (_fields, message) => console.error(message),
      warn: (fields, message) => console.error(message, fields),
    },
    progress: terminalProgress(process.stderr),
  });
  for (const line of services.description) console.error(line);
  console.log(`DATABASE_URL=${services.databaseUrl}`);
  console.log(`REDIS_URL=${services.redisUrl}`);
  await stopWish;
  await services.stop();
}

/** Resolves at the first SIGINT or SIGTERM; keeps the process alive until then. */
function firstStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => undefined, 60_000);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        clearInterval(keepAlive);
        resolve();
      });
    }
  });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ServicesError)) throw error;
  console.error(`${error.message}\n${error.remedy}`);
  process.exit(1); // the wait for a signal would keep the process
}
