/** What variables must be together. */
import type { ConfigProblem } from "./problems.ts";
import { DEVELOPMENT_SECRET } from "./tokens.ts";
import type { Config } from "./variables.ts";

/** `serve`: the HTTP API, which signs tokens. `work`: only what is behind it, as workers and commands do. */
export type Purpose = "serve" | "work";

/** A secret that a process does not use is one that it can only give away. */
const NEEDED = {
  serve: ["JWT_SECRET_KEY", "DATABASE_URL", "REDIS_URL"],
  work: ["DATABASE_URL", "REDIS_URL"],
} as const satisfies Record<Purpose, readonly (keyof Config)[]>;

/** What is told about a variable by itself. */
type Allowed = (name: keyof Config) => string;

/** What production must not do without. */
export function productionProblems(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
  purpose: Purpose,
  allowed: Allowed,
): ConfigProblem[] {
  if (config.APP_ENV !== "production") return [];
  const problems: ConfigProblem[] = NEEDED[purpose]
    .filter((name) => !environment[name]?.trim())
    .map((name) => ({
      name,
      value: undefined,
      allowed: `${allowed(name)} when APP_ENV=production`,
    }));
  const own = "a secret of your own when APP_ENV=production";
  for (const name of ["JWT_SECRET_KEY", "JWT_ACCEPTED_KEY"] as const) {
    if (purpose === "serve" && config[name] === DEVELOPMENT_SECRET && environment[name]?.trim())
      problems.push({ name, value: DEVELOPMENT_SECRET, allowed: own });
  }
  return problems;
}

/** Keys alone would let in every token that the provider signs, for whatever service. */
export function providerProblems(config: Config, allowed: Allowed): ConfigProblem[] {
  if (config.OIDC_JWKS_URL === undefined) return [];
  return (["OIDC_ISSUER", "OIDC_AUDIENCE"] as const)
    .filter((name) => config[name] === undefined)
    .map((name) => ({
      name,
      value: undefined,
      allowed: `${allowed(name)} when OIDC_JWKS_URL is set`,
    }));
}

/** Files for TLS are of no use to a connection in plain text, which somebody may take for an encrypted one. */
export function redisTlsProblems(config: Config, allowed: Allowed): ConfigProblem[] {
  const { REDIS_URL, REDIS_TLS_CA_FILE, REDIS_TLS_CERT_FILE, REDIS_TLS_KEY_FILE } = config;
  const isGiven = REDIS_TLS_CA_FILE ?? REDIS_TLS_CERT_FILE ?? REDIS_TLS_KEY_FILE;
  if (isGiven !== undefined && !REDIS_URL?.startsWith("rediss")) {
    const value = REDIS_URL;
    return [{ name: "REDIS_URL", value, allowed: "a rediss:// URL when a REDIS_TLS_ file is set" }];
  }
  if ((REDIS_TLS_CERT_FILE === undefined) === (REDIS_TLS_KEY_FILE === undefined)) return [];
  const name = REDIS_TLS_CERT_FILE === undefined ? "REDIS_TLS_CERT_FILE" : "REDIS_TLS_KEY_FILE";
  const other = REDIS_TLS_CERT_FILE === undefined ? "REDIS_TLS_KEY_FILE" : "REDIS_TLS_CERT_FILE";
  return [{ name, value: undefined, allowed: `${allowed(name)} when ${other} is set` }];
}
