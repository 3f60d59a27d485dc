/** Where k6 is: named, on PATH, or where `go install` puts it. */
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../command-line.ts";

export const HOW_TO_GET_K6 = `k6 was not found: not in $K6, not on PATH, not in Go's bin folder. To get it:
  https://grafana.com/docs/k6/latest/set-up/install-k6/   packages for every system
  go install go.k6.io/k6@latest                           with Go; it is then found in $(go env GOPATH)/bin
Any k6 from 1.0 on will do.`;

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly which: (name: string) => string | null;
  readonly isExecutable: (path: string) => boolean;
}

const HERE: Surroundings = {
  env: process.env,
  which: (name) => Bun.which(name),
  isExecutable: (path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  },
};

/** @throws {UsageError} that says how to get it, or that $K6 names no program */
export function findK6({ env, which, isExecutable }: Surroundings = HERE): string {
  if (env.K6) {
    if (isExecutable(env.K6)) return env.K6;
    throw new UsageError(`K6=${env.K6} is not a program that can be run`);
  }
  // Go's own defaults (`go help gopath`, `go help install`), so that Go need not be asked.
  const folders = [env.GOBIN, env.GOPATH && join(env.GOPATH, "bin"), join(env.HOME ?? homedir(), "go/bin")];
  const installed = folders
    .map((folder) => folder && join(folder, "k6"))
    .find((path) => path && isExecutable(path));
  const found = which("k6") ?? installed;
  if (!found) throw new UsageError(HOW_TO_GET_K6);
  return found;
}
