/** What is wrong with the environment, told all at once. */

/** One wrong variable: its name, what it was and what is allowed. */
export interface ConfigProblem {
  readonly name: string;
  readonly value: string | undefined;
  readonly allowed: string;
}

/** Thrown by `loadConfig`; lists every wrong variable at once. Secrets are not repeated. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly ConfigProblem[]) {
    const line = ({ name, value, allowed }: ConfigProblem) =>
      value === undefined
        ? `${name} is not set; it must be ${allowed}`
        : `${name} is "${shown(name, value)}"; it must be ${allowed}`;
    super(`Wrong configuration:\n${problems.map((p) => `  ${line(p)}`).join("\n")}`);
  }
}

function shown(name: string, value: string): string {
  if (/(_KEY|_HEADERS)$/.test(name)) return `(${value.length} characters, not shown)`;
  const safe = /_(URL|ENDPOINT)$/.test(name) ? withoutCredentials(value) : value;
  return safe.slice(0, 120);
}

function withoutCredentials(url: string): string {
  return (
    url
      // Up to the last @: a password may hold any character, and a wrong URL need not have a scheme.
      .replace(/^([\w-]+:\/\/)?.*@/s, "$1(credentials)@")
      .replace(/(password=)[^&]*/g, "$1(not shown)")
  );
}
