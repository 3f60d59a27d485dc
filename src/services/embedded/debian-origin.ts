/** Decides which mirror and which keyring the bundle is fetched with. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { errnoOf, ServicesError } from "../services-error.ts";
import { type AptSource, findDebianArchive, parseDeb822Sources, parseOneLineSources } from "./apt-sources.ts";
import { PrivateApt } from "./private-apt.ts";

/** One way to get the packages. */
export interface DebianOrigin {
  readonly mirror: string;
  /** Text of a sources.list with one line. */
  readonly list: string;
}

/** Where the package python-apt-common, which Ubuntu installs by default, describes Debian's archive. */
const DEBIAN_DESCRIPTION = "/usr/share/python-apt/templates/Debian.info";
const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const NO_PROGRESS = { step: () => undefined, amount: () => undefined };

/**
 * Ways to get packages of `suite`, best first: the mirror this machine uses already, then the one that its own
 * packages name for Debian.
 *
 * @param folder may be used for a fetched keyring
 * @throws ServicesError `download` when the machine knows no mirror of Debian's, or has no key of Debian's and none
 *   can be fetched
 */
export async function debianOrigin(
  folder: string,
  architecture: string,
  suite: string,
): Promise<DebianOrigin[]> {
  const own = findDebianArchive(await machineSources("/etc/apt"), await releaseCodename("/etc/os-release"));
  const keyring = existsSync(DEBIAN_KEYRING) ? DEBIAN_KEYRING : undefined;
  const origins: DebianOrigin[] = [];
  if (own) origins.push(origin(own.uri, architecture, suite, (await keyOf(own, folder)) ?? keyring));
  const described = describedMirror(await readIfAny(DEBIAN_DESCRIPTION));
  if (described !== undefined && described !== own?.uri.replace(/\/$/, "")) {
    const key = keyring ?? (own ? undefined : await fetchKeyring(folder, architecture));
    origins.push(origin(described, architecture, suite, key));
  }
  if (origins.length > 0) return origins;
  throw new ServicesError(
    "download",
    "This machine's package sources name no mirror of Debian",
    'Install the package "python-apt-common", which names one, or add a mirror of Debian to the apt sources; or ' +
      "start a Docker daemon, or set DATABASE_URL and REDIS_URL to services of your own.",
  );
}

/** The first BaseURI of a distribution's description, without a last slash. */
export function describedMirror(info: string): string | undefined {
  return /^BaseURI:\s*(\S+?)\/?\s*$/m.exec(info)?.[1];
}

/** All sources below an apt folder, such as /etc/apt. */
export async function machineSources(aptFolder: string): Promise<AptSource[]> {
  const sources = parseOneLineSources(await readIfAny(join(aptFolder, "sources.list")));
  const parts = join(aptFolder, "sources.list.d");
  for (const name of existsSync(parts) ? (await readdir(parts)).sort() : []) {
    if (name.endsWith(".list")) sources.push(...parseOneLineSources(await readIfAny(join(parts, name))));
    if (name.endsWith(".sources")) sources.push(...parseDeb822Sources(await readIfAny(join(parts, name))));
  }
  return sources;
}

/** Codename of the running release from os-release(5); empty when it has none. */
export async function releaseCodename(path: string): Promise<string> {
  return /^VERSION_CODENAME="?([\w.-]+)"?$/m.exec(await readIfAny(path))?.[1] ?? "";
}

function origin(mirror: string, architecture: string, suite: string, key: string | undefined): DebianOrigin {
  const signedBy = key === undefined ? "" : ` signed-by=${key}`;
  return { mirror, list: `deb [arch=${architecture}${signedBy}] ${mirror} ${suite} main\n` };
}

/** The path of the source's key; a key written inside the source is put into a file. */
async function keyOf(source: AptSource, folder: string): Promise<string | undefined> {
  if (!source.signedBy?.includes("-----BEGIN")) return source.signedBy;
  await mkdir(folder, { recursive: true });
  const path = join(folder, "source.asc");
  await writeFile(path, source.signedBy);
  return path;
}

/**
 * Ubuntu has no keys of Debian's installed, but packages them: the machine's own sources vouch for that package,
 * and its keys vouch for Debian's.
 */
async function fetchKeyring(folder: string, architecture: string): Promise<string> {
  const apt = new PrivateApt(join(folder, "apt"), architecture);
  await apt.update("machine");
  const packages = (await apt.resolve(["debian-archive-keyring"])).filter(
    ({ name }) => name === "debian-archive-keyring",
  );
  const [deb] = await apt.download(packages, NO_PROGRESS);
  const root = join(folder, "root");
  const unpacked = await runCommand(["dpkg-deb", "-x", deb ?? "", root], { deadlineMs: 30_000 });
  const keyring = join(root, DEBIAN_KEYRING);
  if (unpacked.code === 0 && existsSync(keyring)) return keyring;
  throw new ServicesError(
    "download",
    `This machine has no keys of Debian's archive, and its own sources do not give them: ${unpacked.stderr.trim()}`,
    'Install the package "debian-archive-keyring", then start again; or start a Docker daemon, or set ' +
      "DATABASE_URL and REDIS_URL to services of your own.",
  );
}

async function readIfAny(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}
