/** No secret is in the files or in the history: what looks like one is explained, and a real one is found. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mintKey } from "../../src/api/auth/api-keys.ts";
import { runCommand } from "../../src/services/command.ts";
import { ROOT } from "../support/deploy.ts";
import { judgeFindings } from "../support/security/findings.ts";
import { findSecrets } from "../support/security/gitleaks.ts";
import { tool } from "../support/tools/debian-tools.ts";
import { describeWith } from "../support/tools/describe-with.ts";

const git = (cwd: string, ...args: string[]) => runCommand(["git", ...args], { cwd, deadlineMs: 30_000 });
const inRepository = (await git(ROOT, "rev-parse", "--is-inside-work-tree")).stdout.trim() === "true";
const found = await tool("gitleaks");

describeWith("gitleaks", inRepository ? found : { missing: "this is no git repository" }, (program) => {
  test("finds nothing in files and history that is not explained", async () => {
    const all = [
      ...(await findSecrets(program, ROOT, "files")),
      ...(await findSecrets(program, ROOT, "history")),
    ];
    expect(judgeFindings("gitleaks", all)).toEqual({ open: [], stale: [] });
  });

  describe("in a repository with secrets", () => {
    let folder: string;
    // Made here, or it would be found in this file.
    const password = Buffer.from(crypto.getRandomValues(new Uint8Array(30))).toString("hex");
    const { secret } = mintKey();

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "hydraulic-leak-"));
      await git(folder, "init", "-q");
      const commit = async (name: string, text: string) => {
        await Bun.write(join(folder, name), text);
        await git(folder, "add", "-A");
        const who = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
        expect((await git(folder, ...who, "commit", "-q", "-m", name)).code).toBe(0);
      };
      await commit("old.env", `JWT_SECRET_KEY=${password}\n`);
      await commit("old.env", "JWT_SECRET_KEY=\n");
      await commit("new.ts", `export const apiKey = "${secret}";\n`);
      await Bun.write(join(folder, ".gitignore"), "ignored\n");
      await Bun.write(join(folder, "ignored"), `API_KEY=${password}\n`);
    });
    afterAll(() => rm(folder, { recursive: true }));

    const named = async (where: "files" | "history") =>
      (await findSecrets(program, folder, where)).map(({ file, what }) => [file, what]);
    const hash = (text: string) => Bun.CryptoHasher.hash("sha256", text, "hex");

    test("finds those that are there, in history also those that were taken out, and nothing that git ignores", async () => {
      expect(await named("files")).toEqual([["new.ts", hash(secret)]]);
      expect((await named("history")).sort()).toEqual(
        [
          ["new.ts", hash(secret)],
          ["old.env", hash(password)],
        ].sort(),
      );
    });
  });
});
