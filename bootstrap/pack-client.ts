/**
 * `npm run pack:client`: the TypeScript client as a package of its own, for other projects. Plain JavaScript with
 * types and without dependencies, so that Node.js 20 and newer takes it as well as Bun.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import project from "../package.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

const { values } = parseArgs({ options: { to: { type: "string", default: join(ROOT, "dist") } } });
console.log(await packClient(resolve(values.to)));

/**
 * @param folder where the package and its tarball go; what an earlier run left there is replaced
 * @returns path of the tarball, ready for `npm install` and `bun add`
 * @throws {Error} with the compiler's or the packer's own words
 */
async function packClient(folder: string): Promise<string> {
  const client = join(folder, "client");
  rmSync(client, { recursive: true, force: true });
  mkdirSync(client, { recursive: true });
  const tsc = [join(ROOT, "node_modules/.bin/tsc"), "-p", join(ROOT, "src/client")];
  await run([...tsc, "--noEmit", "false", "--outDir", client], ROOT);
  copyFileSync(join(ROOT, "docs/client.md"), join(folder, "README.md"));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
  const printed = await run(["pm", "pack", "--quiet", "--destination", folder], folder);
  return printed.trim();
}

/** `crc32` of node:zlib, which the spool needs, came with Node.js 20.15. */
function manifest() {
  const { name, version, license } = project;
  return {
    name,
    version,
    description: "Client of Hydraulic Ingest: buffers, compresses, retries, and spools on disk if wanted.",
    license,
    type: "module",
    exports: { "./client": { types: "./client/index.d.ts", default: "./client/index.js" } },
    files: ["client"],
    engines: { node: ">=20.15" },
  };
}

/** Bun with these arguments; what it printed. */
async function run(args: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([process.execPath, ...args], { cwd, stdout: "pipe", stderr: "pipe" });
  const [out, err, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}\n${out}${err}`);
  return out;
}
