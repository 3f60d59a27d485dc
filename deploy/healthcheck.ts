/**
 * The health check of the image, which has no curl: `bun deploy/healthcheck.ts PORT…`. Ends with 0 when a role of this
 * container answers GET /readyz on one of the ports with 200, else with 1 and the reason.
 */
const DEADLINE_MS = 4_000;

async function ask(port: string): Promise<string | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return answer.ok ? null : `port ${port}: ${answer.status} ${await answer.text()}`;
  } catch (error) {
    return `port ${port}: ${(error as Error).message}`;
  }
}

const ports = process.argv.slice(2);
const answers = await Promise.all(ports.map(ask));
if (!answers.includes(null)) {
  process.stderr.write(`${answers.join("\n") || "no port was given"}\n`);
  process.exit(1);
}

export {};
