/**
 * Reads the configuration. The environment is read here and nowhere else; every other module gets the parsed, frozen
 * `Config` or a part of it. `.env.example` is printed from the same table (`bun src/config.ts`), and a test holds the
 * two together.
 */
import { type Purpose, productionProblems, providerProblems, redisTlsProblems } from "./config/checks.ts";
import type { Variable } from "./config/kinds.ts";
import { ConfigError, type ConfigProblem } from "./config/problems.ts";
import { type Config, VARIABLES, type VariableName } from "./config/variables.ts";

/**
 * Read the configuration. An empty variable counts as not set.
 * @param purpose what it is read for: what production must not do without depends on it
 * @throws {ConfigError} naming every variable whose value is not allowed
 */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>>,
  purpose: Purpose = "serve",
): Config {
  const problems: ConfigProblem[] = [];
  const entries = Object.entries<Variable<unknown>>(VARIABLES).map(([name, variable]) => {
    const given = environment[name]?.trim();
    if (given === undefined || given === "") return [name, variable.fallback];
    const value = variable.read(given);
    if (value === undefined) problems.push({ name, value: given, allowed: variable.allowed });
    return [name, value];
  });
  const config = Object.freeze(Object.fromEntries(entries)) as Config;
  const allowed = (name: VariableName) => VARIABLES[name].allowed;
  problems.push(...productionProblems(config, environment, purpose, allowed));
  problems.push(...providerProblems(config, allowed), ...redisTlsProblems(config, allowed));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** The configuration of this process. @throws {ConfigError} */
export function configuration(purpose: Purpose): Config {
  return loadConfig(process.env, purpose);
}

/** The text of `.env.example`: every variable with its meaning, what is allowed and its default. */
export function envExample(): string {
  const blocks = Object.entries<Variable<unknown>>(VARIABLES).map(
    ([name, { about, allowed, fallback }]) =>
      `# ${about}.\n# Allowed: ${allowed}.\n#${name}=${fallback ?? ""}\n`,
  );
  return `# Every variable of Hydraulic Ingest, with its default. Copy to .env and take the # off what you change.\n\n${blocks.join("\n")}`;
}

if (import.meta.main) process.stdout.write(envExample());
