/**
 * Turns Debian packages into a folder whose programs run in place, on any older or newer Debian-like system:
 * every program is started through the bundle's own dynamic linker and libraries (ld.so(8)).
 */
import { chmodSync, existsSync, globSync, lstatSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { runCommand } from "../command.ts";
import { hasRoom } from "../disk-space.ts";
import { diskFull, ServicesError } from "../services-error.ts";

/**
 * Packages that apt resolves but that nothing of ours runs: maintainer scripts and their helpers, the JIT
 * compiler (jit is off), Perl, locale data (the cluster uses the C locale).
 */
const UNUSED_PACKAGES =
  /^(libllvm\d+|libz3-4|perl.*|libperl.*|lib(io-pty|ipc-run|json|text-\w+)-perl|locales|libc-l10n|libc-bin|postgresql-common(-dev)?|postgresql-client-common|adduser|passwd|login\.defs|base-passwd|debconf|ucf|ssl-cert|openssl|procps|init-system-helpers|sysvinit-utils|lsb-base|netbase|sensible-utils|libdebconfclient0|libsemanage.*|libsepol2|libproc2-0)$/;

/** Folders and files that running programs do not need. */
const UNUSED_PATHS = [
  "./usr/share/doc",
  "./usr/share/man",
  "./usr/share/locale",
  "*/llvmjit*",
  "*/bitcode",
  "./etc",
];

const UNPACK_DEADLINE_MS = 120_000;
const ELF_MAGIC = "\x7fELF";

/** True for a package worth downloading. */
export function isNeeded(packageName: string): boolean {
  return !UNUSED_PACKAGES.test(packageName);
}

/**
 * Unpacks one .deb into `root` without running its maintainer scripts.
 *
 * @throws ServicesError `unpack`, or `disk-full`
 */
export async function unpackDeb(deb: string, root: string): Promise<void> {
  const exclude = UNUSED_PATHS.map((path) => `--exclude=${path}`);
  // A file between the two programs instead of a pipe: sh has no way to see the first one's failure in a pipe.
  const script =
    'set -e; deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" >"$deb.tar"; tar -x -f "$deb.tar" "$@"; rm "$deb.tar" "$deb"';
  const argv = ["sh", "-c", script, "sh", deb, "-C", root, "--no-same-owner", "--wildcards", ...exclude];
  const result = await runCommand(argv, { deadlineMs: UNPACK_DEADLINE_MS });
  if (result.code === 0) return;
  if (!(await hasRoom(root))) throw diskFull(root);
  throw new ServicesError(
    "unpack",
    `${basename(deb)} cannot be unpacked:\n${result.stderr.trim()}`,
    "Start again; if it happens twice, report it with the lines above.",
  );
}

/** The bundle's dynamic linker, relative to `root`. @throws ServicesError `unpack` when there is none */
export function findLinker(root: string): string {
  const [linker] = globSync("usr/lib/*/ld-linux*.so.*", { cwd: root });
  if (linker) return linker;
  throw new ServicesError(
    "unpack",
    "The downloaded packages hold no dynamic linker",
    "This processor architecture is not supported by the embedded bundle. Start a Docker daemon, or set " +
      "DATABASE_URL and REDIS_URL to services of your own.",
  );
}

/**
 * Replaces every ELF program of PostgreSQL, and redis-server, by a two-line script that starts the real one
 * through the linker. Scripts, because PostgreSQL's programs start each other by path. Everything is relative to
 * the script, so the bundle may be moved.
 */
export function wrapPrograms(root: string): void {
  const linker = findLinker(root);
  const programs = globSync("usr/lib/postgresql/*/bin/*", { cwd: root }).map((path) => ({
    path,
    real: path,
  }));
  // In Debian redis-server is a link to redis-check-rdb: the name it is called by decides what it is.
  for (const { path, real } of [
    ...programs,
    { path: "usr/bin/redis-server", real: "usr/bin/redis-check-rdb" },
  ]) {
    wrapProgram(root, path, real, linker);
  }
}

/** Replaces the program at `path` by the script; `real` is the file it is a link to, or itself. Paths below `root`. */
export function wrapProgram(root: string, path: string, real: string, linker: string): void {
  const file = join(root, path);
  if (!existsSync(file) || !isElf(join(root, real))) return;
  const target = `${file}.real`;
  if (lstatSync(file).isSymbolicLink()) renameSync(join(root, real), target);
  else renameSync(file, target);
  const up = relative(join(root, path, ".."), root);
  const libraries = join(linker, "..");
  writeFileSync(
    `${file}.new`,
    `#!/bin/sh
r=\${0%/*}/${up}; r=$(cd "$r" && pwd -P) || exit 126
exec "$r/${linker}" --inhibit-cache --argv0 "$0" --library-path "$r/${libraries}" "$r/${path}.real" "$@"
`,
  );
  chmodSync(`${file}.new`, 0o755);
  renameSync(`${file}.new`, file);
}

function isElf(path: string): boolean {
  return !lstatSync(path).isDirectory() && readFileSync(path).subarray(0, 4).toString("latin1") === ELF_MAGIC;
}
