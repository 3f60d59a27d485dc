/**
 * apt with a state of its own: nothing of the system's package database is read or changed, no root is needed.
 * Proxies, certificates and time-outs of the machine's own apt configuration stay in force; apt verifies
 * signatures and hashes as always (apt-secure(8)).
 */
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { ServicesError } from "../services-error.ts";
import type { Progress } from "../types.ts";

/** Where packages come from. */
export type AptOrigin =
  | { readonly list: string }
  /** The machine's own sources, unchanged. */
  | "machine";

/** One package that apt has resolved. */
export interface AptPackage {
  readonly name: string;
  readonly version: string;
  readonly bytes: number;
}

const UPDATE_DEADLINE_MS = 5 * 60_000;
const RESOLVE_DEADLINE_MS = 60_000;
/** 60 MB over a slow line; apt itself gives up on a line that stands still. */
const DOWNLOAD_DEADLINE_MS = 30 * 60_000;
const WATCH_MS = 200;

/** A private apt below one folder. */
export class PrivateApt {
  readonly #folder: string;

  /** @param folder absolute, empty, thrown away by the caller afterwards */
  constructor(
    folder: string,
    private readonly architecture: string,
  ) {
    this.#folder = folder;
  }

  /** Writes the configuration and fetches the package lists. @throws ServicesError `download` */
  async update(origin: AptOrigin): Promise<void> {
    const folders = ["etc", "empty", "lists/partial", "cache/archives/partial", "debs"];
    for (const folder of folders) await mkdir(join(this.#folder, folder), { recursive: true });
    await writeFile(join(this.#folder, "status"), "");
    await writeFile(join(this.#folder, "etc/sources.list"), origin === "machine" ? "" : origin.list);
    await writeFile(join(this.#folder, "etc/apt.conf"), aptConf(this.#folder, this.architecture, origin));
    await this.#apt(["update", "--error-on=any"], UPDATE_DEADLINE_MS);
  }

  /** What installing `names` into an empty system would bring, without downloading it. */
  async resolve(names: readonly string[]): Promise<AptPackage[]> {
    return parsePrintUris(await this.#apt(["install", "-y", "--print-uris", ...names], RESOLVE_DEADLINE_MS));
  }

  /** Downloads and verifies the packages; gives the paths of the .deb files. @throws ServicesError `download` */
  async download(packages: readonly AptPackage[], progress: Progress): Promise<string[]> {
    const folder = join(this.#folder, "debs");
    mkdirSync(folder, { recursive: true });
    const total = packages.reduce((sum, { bytes }) => sum + bytes, 0);
    const watch = setInterval(() => progress.amount("Downloading", folderBytes(folder), total), WATCH_MS);
    try {
      const wanted = packages.map(({ name, version }) => `${name}=${version}`);
      await this.#apt(["download", ...wanted], DOWNLOAD_DEADLINE_MS, folder);
    } finally {
      clearInterval(watch);
    }
    progress.amount("Downloading", total, total);
    return readdirSync(folder)
      .filter((name) => name.endsWith(".deb"))
      .map((name) => join(folder, name));
  }

  async #apt(args: readonly string[], deadlineMs: number, cwd = this.#folder): Promise<string> {
    const argv = ["apt-get", "-q", "-c", join(this.#folder, "etc/apt.conf"), ...args];
    const result = await runCommand(argv, { deadlineMs, cwd });
    if (result.code === 0) return result.stdout;
    const lines = result.stderr.split("\n").filter((line) => /^[EW]: /.test(line));
    throw new ServicesError(
      "download",
      `apt cannot fetch the packages:\n${lines.slice(0, 4).join("\n") || result.stderr.trim()}`,
      "Check the network, the proxy and the mirror in /etc/apt, then start again; nothing half-done is kept. Or " +
        "start a Docker daemon, or set DATABASE_URL and REDIS_URL to services of your own.",
    );
  }
}

/**
 * Our settings, read after the machine's (`-c`), hence `#clear` before every list: the machine's hooks would
 * touch its own caches.
 */
function aptConf(folder: string, architecture: string, origin: AptOrigin): string {
  const sources =
    origin === "machine"
      ? ""
      : `Dir::Etc::sourcelist "${folder}/etc/sources.list";\nDir::Etc::sourceparts "${folder}/empty";\n`;
  return `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear APT::Architectures;
APT::Architectures { "${architecture}"; };
${sources}Dir::Etc::preferences "${folder}/empty/none";
Dir::Etc::preferencesparts "${folder}/empty";
Dir::State "${folder}";
Dir::State::lists "${folder}/lists";
Dir::State::status "${folder}/status";
Dir::State::extended_states "${folder}/extended_states";
Dir::Cache "${folder}/cache";
Dir::Cache::archives "${folder}/cache/archives";
Dir::Log "${folder}";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
`;
}

/** Lines of `apt-get --print-uris`: 'URI' file_name bytes hash. Names escape ":" as %3a. */
export function parsePrintUris(output: string): AptPackage[] {
  return output.split("\n").flatMap((line) => {
    const match = /^'[^']+' (\S+)_(\S+)_[^_\s]+\.deb (\d+)/.exec(line);
    if (!match) return [];
    const [, name = "", version = "", bytes = "0"] = match;
    return [{ name, version: decodeURIComponent(version), bytes: Number(bytes) }];
  });
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => {
      const size = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
      return sum + size;
    }, 0);
}
