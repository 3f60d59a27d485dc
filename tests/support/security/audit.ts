/** `bun audit`: what is known against the packages of bun.lock, from the registry that this machine installs from. */
import { runCommand } from "../../../src/services/command.ts";
import type { FindingOfScan } from "./findings.ts";

const DEADLINE_MS = 60_000;

interface Advisory {
  readonly url: string;
  readonly severity: string;
}

/**
 * @param registry asked instead of the machine's own
 * @returns what is known, or why nobody could be asked
 */
export async function audit(
  root: string,
  registry?: string,
): Promise<{ readonly found: readonly FindingOfScan[] } | { readonly missing: string }> {
  const asked =
    registry === undefined ? {} : { BUN_CONFIG_REGISTRY: registry, npm_config_registry: registry };
  const { stdout, stderr } = await runCommand([process.execPath, "audit", "--json"], {
    cwd: root,
    deadlineMs: DEADLINE_MS,
    env: { ...(process.env as Record<string, string>), ...asked },
  });
  const answer = parsed(stdout);
  // The address in the message is the registry's, and stays out of the output.
  if (answer === undefined)
    return { missing: `the registry answers no audit (${/- (\d{3})\b/.exec(stderr)?.[1] ?? "no answer"})` };
  const found = Object.entries(answer).flatMap(([name, advisories]) =>
    advisories.map(({ url, severity }) => ({
      tool: "audit" as const,
      rule: severity,
      file: name,
      what: url,
    })),
  );
  return { found };
}

function parsed(text: string): Record<string, readonly Advisory[]> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
