/** Good HTTP with targets, methods and headers that make no sense. */
import type { Chance } from "../../../src/feed/simulate/chance.ts";
import { bearer, type Header, type HostileCase, hostile, request } from "../case.ts";
import type { Ground } from "../ground.ts";
import { nastyEscape, nastyHeader, nastyText } from "../nasty.ts";
import { type HostileRoute, pathTo } from "../routes.ts";

const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "LINK",
  "get",
  "QUERY",
  "M-SEARCH",
];
const MAX_TARGET = 8_000;

const credentialsOf = ({ admin, producer, key }: Ground, chance: Chance): Header =>
  chance.pick<Header>([bearer(admin), bearer(producer), bearer(key), ["X-Api-Key", key]]);

const reads = ({ routes }: Ground) => routes.filter(({ method }) => method === "GET");

/** Any parameter of a question, by wrong names, twice, and with values from elsewhere. */
export function parameters(ground: Ground, chance: Chance): HostileCase {
  const route = chance.pick(reads(ground));
  const names = [...route.query, nastyText(chance).slice(0, 80)];
  const pairs = Array.from({ length: 1 + chance.below(5) }, () => {
    const name = chance.pick(names);
    return `${encodeURIComponent(name.toWellFormed())}${chance.below(20) === 0 ? "" : "="}${nastyEscape(chance)}`;
  });
  const target = `${pathTo(route, chance)}?${pairs.join(chance.pick(["&", "&", "&", ";", "&&"]))}`.slice(
    0,
    MAX_TARGET,
  );
  return asked(ground, chance, route, target, "parameters", "of the query");
}

/** Ids and names in the path. */
export function paths(ground: Ground, chance: Chance): HostileCase {
  const route = chance.pick(reads(ground));
  const target = route.path.replace(/\{\w+\}/g, () => nastyEscape(chance) || "%20");
  const bent = chance.pick([
    (text: string) => text,
    (text: string) => `${text}${"/".repeat(1 + chance.below(20))}`,
    (text: string) => text.replaceAll("/", "//"),
    (text: string) => `/..${text}`,
    (text: string) => text.replace("/api", "/api/../api/%2e%2e/api"),
    (text: string) => text.toUpperCase(),
    (text: string) => `${text}${encodeURIComponent(nastyText(chance).toWellFormed())}`,
  ])(target);
  return asked(ground, chance, route, bent.slice(0, MAX_TARGET), "paths", "of the target");
}

function asked(
  ground: Ground,
  chance: Chance,
  route: HostileRoute,
  target: string,
  kind: string,
  shape: string,
): HostileCase {
  const method = chance.below(10) === 0 ? "HEAD" : "GET";
  const bytes = request(method, target, [credentialsOf(ground, chance)]);
  const isHead = () => method === "HEAD";
  return hostile(kind, shape, bytes, { expect: "harmless", operation: route.operation, isHead });
}

/** Methods that a path does not have. */
export function methods(ground: Ground, chance: Chance): HostileCase {
  const { path, operation } = chance.pick(ground.routes);
  const has = ground.routes.filter((one) => one.path === path).map(({ method }) => method);
  const method = chance.pick(METHODS.filter((one) => !has.includes(one)));
  const target = pathTo({ path } as HostileRoute, chance);
  const body = chance.below(3) === 0 ? Buffer.from(nastyText(chance)) : undefined;
  const isHead = () => method === "HEAD";
  const expect = method === "HEAD" && has.includes("GET") ? "harmless" : "refused";
  const bytes = request(method, target, [credentialsOf(ground, chance)], body);
  // What OPTIONS and the like are answered with is the server's business; nothing of it may be stored.
  return hostile("methods", method, bytes, { operation, isHead, expect, shares: method !== "TRACE" });
}

/** Headers that routes read, and those that proxies would send. */
export function headers(ground: Ground, chance: Chance): HostileCase {
  const route = chance.pick(reads(ground));
  const names = [
    ...route.headers,
    ..."Accept,Accept-Encoding,Range,If-Match,If-None-Match,If-Modified-Since,Prefer,Cookie,Origin,X-Forwarded-For,X-Forwarded-Host,X-HTTP-Method-Override,Forwarded,traceparent,tracestate,baggage,TE,Content-Type,Content-Encoding,Sec-Fetch-Site,Last-Event-ID,X-Request-Id".split(
      ",",
    ),
  ];
  const sent = Array.from(
    { length: 1 + chance.below(6) },
    (): Header => [chance.pick(names), nastyHeader(chance)],
  );
  const bytes = request("GET", pathTo(route, chance), [credentialsOf(ground, chance), ...sent]);
  return hostile("headers", "of a question", bytes, {
    expect: "harmless",
    operation: route.operation,
    shares: false,
  });
}
