/** Runs Schemathesis against a service, with the configuration beside this file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FOLDER = new URL(".", import.meta.url).pathname;

export interface SchemathesisRun {
  /** Without a last slash. */
  readonly url: string;
  /** An admin, whom no generated request changes. */
  readonly user: { readonly id: string; readonly username: string; readonly password: string };
  readonly seed: number;
  /** Requests made up for one operation and phase, at most. */
  readonly examples: number;
  readonly deadline_ms: number;
}

export interface SchemathesisOutcome {
  readonly code: number | null;
  /** What it found, or how it came to its end. */
  readonly said: string;
  /** Requests that were sent; 0 when it did not come to its end. */
  readonly generated: number;
}

/** @param program path of `schemathesis` */
export async function runSchemathesis(program: string, run: SchemathesisRun): Promise<SchemathesisOutcome> {
  const { url, user, seed, examples, deadline_ms } = run;
  // It keeps a cache where it is started.
  const cwd = await mkdtemp(join(tmpdir(), "schemathesis-"));
  try {
    // One worker: it reads its own sources with `ast.parse`, and before Python 3.13.1 two threads that do so at once
    // end with "AST constructor recursion depth mismatch" (python/cpython issue 106905).
    const options = [
      "--checks",
      "all",
      "--no-color",
      "--seed",
      String(seed),
      "-n",
      String(examples),
      "-w",
      "1",
    ];
    const config = ["--config-file", join(FOLDER, "schemathesis.toml")];
    const child = Bun.spawn([program, ...config, "run", `${url}/openapi.json`, ...options], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: deadline_ms,
      env: {
        ...process.env,
        PYTHONPATH: FOLDER,
        PYTHONDONTWRITEBYTECODE: "1",
        SCHEMATHESIS_USER: user.username,
        SCHEMATHESIS_PASSWORD: user.password,
        SCHEMATHESIS_USER_ID: user.id,
      },
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    const generated = Number(/^ {2}(\d+) generated,/m.exec(out)?.[1] ?? 0);
    return { code, said: `${out}${err}`, generated };
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}
