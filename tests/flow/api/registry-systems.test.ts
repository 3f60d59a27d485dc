/** Systems over HTTP: register, find, change, archive, restore. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { allPages, bodyOf, newSystem, type TestSystem } from "../../support/registry.ts";

const PATH = "/api/v1/systems";
let bench: ApiBench;
let api: TestApi;
let engineer: string;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  engineer = (await api.tokenFor("engineer")).token;
});
afterAll(() => bench.close());

const archive = (id: string) => api.call(engineer, "DELETE", `${PATH}/${id}`);
const restore = (id: string) => api.call(engineer, "POST", `${PATH}/${id}/restore`);
const updatedAt = async (id: string) => {
  const [row] = await bench.database.sql<{ at: string }[]>`
    SELECT updated_at::text AS at FROM diagnostics_system WHERE id = ${id}`;
  return row?.at;
};

describe("a system", () => {
  test("is registered under a new id, found at its Location, with and without the last slash", async () => {
    const response = await api.call(engineer, "POST", PATH, { name: "Press 1", description: "two\nlines" });
    const location = response.headers.get("Location") ?? "";
    const system = await bodyOf<TestSystem>(response, 201);
    expect(system).toMatchObject({ name: "Press 1", description: "two\nlines", archived_at: null });
    expect(location).toBe(`${PATH}/${system.id}`);
    const { token } = await api.tokenFor("producer");
    for (const path of [location, `${location}/`, `${PATH}/${system.id.toUpperCase()}`]) {
      const answer = await api.call(token, "GET", path);
      expect(answer.headers.get("Cache-Control")).toBe("no-store");
      expect(await bodyOf<TestSystem>(answer)).toEqual(system);
    }
  });

  test("keeps the id that it is given, in lower case", async () => {
    const id = crypto.randomUUID();
    const system = await newSystem(api, engineer, { id: id.toUpperCase() });
    expect(system.id).toBe(id);
    const again = await api.call(engineer, "POST", PATH, { id, name: "another" });
    expect((await expectProblem(again, "id-taken")).errors?.[0]?.pointer).toBe("/id");
  });

  test("may have the name of another", async () => {
    const { name } = await newSystem(api, engineer);
    await newSystem(api, engineer, { name });
  });

  test.each([
    [{ name: "renamed" }, { name: "renamed", description: "old" }],
    [{ description: "" }, { name: "before", description: "" }],
    [
      { name: "Über-Presse 𝟜", description: "Öl" },
      { name: "Über-Presse 𝟜", description: "Öl" },
    ],
  ])("is changed by %j and keeps the rest", async (change, expected) => {
    const { id, updated_at } = await newSystem(api, engineer, { name: "before", description: "old" });
    const changed = await bodyOf<TestSystem>(await api.call(engineer, "PATCH", `${PATH}/${id}`, change));
    expect(changed).toMatchObject(expected);
    expect(Date.parse(changed.updated_at)).toBeGreaterThanOrEqual(Date.parse(updated_at));
    expect(await bodyOf<TestSystem>(await api.call(engineer, "GET", `${PATH}/${id}`))).toEqual(changed);
  });

  test("is archived once, takes no changes then, and is restored once", async () => {
    const { id } = await newSystem(api, engineer);
    const before = await updatedAt(id);
    const archived = await bodyOf<TestSystem>(await archive(id));
    expect(archived.archived_at).toBeString();
    const noticed = await updatedAt(id);
    expect(noticed).not.toBe(before);
    expect(await bodyOf<TestSystem>(await archive(id))).toEqual(archived);
    expect(await updatedAt(id)).toBe(noticed);
    await expectProblem(await api.call(engineer, "PATCH", `${PATH}/${id}`, { name: "x" }), "archived");
    const sensors = `${PATH}/${id}/sensors`;
    await expectProblem(await api.call(engineer, "POST", sensors, { name: "p", unit: "bar" }), "archived");
    const restored = await bodyOf<TestSystem>(await restore(id));
    expect(restored.archived_at).toBeNull();
    expect(await bodyOf<TestSystem>(await restore(id))).toEqual(restored);
  });
});

describe("the list of systems", () => {
  test("has each system once, by name, whatever the size of a page", async () => {
    const word = crypto.randomUUID();
    const made: TestSystem[] = [];
    // Two of one name: the id tells them apart at the edge of a page.
    for (const name of ["b", "a", "c", "b", "d"]) {
      made.push(await newSystem(api, engineer, { name: `${name} ${word}` }));
    }
    const byNameAndId = (x: TestSystem, y: TestSystem) =>
      x.name === y.name ? (x.id < y.id ? -1 : 1) : x.name < y.name ? -1 : 1;
    for (const limit of [1, 2, 3, 5, 6]) {
      const found = await allPages<TestSystem>(api, engineer, PATH, `limit=${limit}&text=${word}`);
      expect(found).toEqual(made.toSorted(byNameAndId));
    }
  });

  test("is narrowed by a part of name, description or id, and by archived", async () => {
    const word = crypto.randomUUID().slice(0, 13);
    const named = await newSystem(api, engineer, { name: `100% _ ${word}` });
    const described = await newSystem(api, engineer, { description: `before ${word} after` });
    await archive(described.id);
    const ids = async (query: string) =>
      (await allPages<TestSystem>(api, engineer, PATH, query)).map(({ id }) => id).sort();
    expect(await ids(`text=${word.toUpperCase()}`)).toEqual([named.id]);
    expect(await ids(`text=${word}&archived=true`)).toEqual([described.id]);
    expect(await ids(`text=${word}&archived=all`)).toEqual([named.id, described.id].sort());
    expect(await ids(`text=${encodeURIComponent(`100% _ ${word}`)}`)).toEqual([named.id]);
    expect(await ids(`text=${encodeURIComponent(`100_ _ ${word}`)}`)).toEqual([]);
    expect(await ids(`text=${named.id}`)).toEqual([named.id]);
  });
});
