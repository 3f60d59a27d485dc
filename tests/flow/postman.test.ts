/** The Postman collection in docs is the one that the OpenAPI document makes, and a live service plays its story. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { STORY_FOLDER } from "../e2e/collection.ts";
import { COLLECTION, collectionText, runCollection, storedCollection } from "../e2e/run.ts";
import { STORY } from "../e2e/story.ts";
import type { OpenApiDocument } from "../support/contract/document.ts";
import { Stack } from "../support/stack.ts";

interface Item {
  readonly name: string;
  readonly request?: { readonly method: string; readonly url: { readonly raw: string } };
  readonly item?: readonly Item[];
}

let stack: Stack;
let document: OpenApiDocument;
beforeAll(async () => {
  stack = await Stack.create();
  await stack.start("all");
  document = (await (await fetch(`${stack.url}/openapi.json`)).json()) as OpenApiDocument;
});
afterAll(() => stack.close());

const login = () => ({ url: stack.url, user: "admin", password: "password" });
/** Streams have no end that a runner could wait for. */
const ENDLESS = /\/events$/;

/** The collection with nothing but its story and the requests that only look. */
function looking({ item, ...rest }: Item): Item {
  const kept = (item ?? []).flatMap((inner): Item[] => {
    if (inner.name === STORY_FOLDER) return [inner];
    if (inner.item) return [looking(inner)];
    const { method, url } = inner.request ?? { method: "", url: { raw: "" } };
    return method === "GET" && !ENDLESS.test(url.raw) ? [inner] : [];
  });
  return { ...rest, item: kept };
}

describe("the Postman collection in docs", () => {
  test("is what the document makes; `npm run e2e -- --write URL` makes it anew", async () => {
    expect((await Bun.file(COLLECTION).text()) === collectionText(document)).toBe(true);
  });

  test("tells its story to a live service, and every request that only looks is answered as documented", async () => {
    const result = await runCollection(looking((await storedCollection()) as Item), login());
    expect(result.failures).toEqual([]);
    expect(result.requests).toBeGreaterThan(STORY.length + 20);
    expect(result.checks).toBeGreaterThan(result.requests);
  });

  test("fails where the service does not answer as the story says", async () => {
    const result = await runCollection(
      await storedCollection(),
      { ...login(), password: "wrong" },
      { folder: STORY_FOLDER },
    );
    expect(result.failures).toEqual([
      expect.stringMatching(/^3\. Log in: answers 200: .*User name or password is wrong.*/),
    ]);
    expect(result.requests).toBe(3);
  });

  test("waits where the account's limit is reached, and goes on", async () => {
    let refused = 0;
    using limited = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        if (pathname === "/api/v1/data/ingest" && refused < 2) {
          refused += 1;
          return new Response("{}", { status: 429, headers: { "Retry-After": "1" } });
        }
        const { method, headers } = request;
        const body = method === "GET" ? null : await request.arrayBuffer();
        return fetch(`${stack.url}${pathname}${search}`, { method, headers, body });
      },
    });
    const account = { ...login(), url: limited.url.origin };
    const result = await runCollection(await storedCollection(), account, { folder: STORY_FOLDER });
    expect(result.failures).toEqual([]);
    expect(refused).toBe(2);
  });
});

describe("npm run e2e", () => {
  const run = async (...args: string[]) => {
    const child = Bun.spawn([process.execPath, "tests/e2e/run.ts", ...args], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { code: await child.exited, out, err };
  };

  test("prints the story and ends with 0 when all of it is true", async () => {
    const { code, out } = await run(stack.url);
    expect({ code, tail: code === 0 ? "" : out }).toEqual({ code: 0, tail: "" });
    expect(out).toContain(STORY.at(-1)?.name ?? "");
  });

  test("ends with 1 against a service that is not there, and with 2 for wrong arguments", async () => {
    const { code, err } = await run("http://127.0.0.1:9");
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("ECONNREFUSED") });
    expect(await run("--write", "http://127.0.0.1:9")).toMatchObject({ code: 1 });
    expect(await run("http://")).toMatchObject({ code: 2 });
    expect(await run("nowhere")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Not a URL: nowhere"),
    });
    expect(await run("--what")).toMatchObject({ code: 2, err: expect.stringContaining("Usage:") });
  });
});
