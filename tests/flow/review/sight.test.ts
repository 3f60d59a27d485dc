/** Who is limited to systems sees the decisions about these, and of those about no system at all the own ones. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ReviewTask } from "../../../src/contract/review.ts";
import { ApiBench, type TestApi, type TestUser } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, newSystem } from "../../support/registry.ts";

const PATH = "/api/v1/quarantine/actions";
let bench: ApiBench;
let api: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
});
afterAll(() => bench.close());

const decide = async ({ token }: TestUser, system_id?: string) => {
  const selection = { filter: system_id === undefined ? {} : { system_id } };
  const response = await api.call(token, "POST", PATH, { action: "reject", selection });
  return (await bodyOf<ReviewTask>(response, 202)).id;
};
const listed = async ({ token }: TestUser) =>
  (await bodyOf<{ items: ReviewTask[] }>(await api.call(token, "GET", PATH))).items
    .map(({ id }) => id)
    .sort();
const shown = async ({ token }: TestUser, id: string) =>
  (await api.call(token, "GET", `${PATH}/${id}`)).status;

test("decisions about no system are their makers' and unlimited people's; about systems, those's who reach all of them", async () => {
  const admin = await api.tokenFor("admin");
  const [press, pump] = [await newSystem(api, admin.token), await newSystem(api, admin.token)];
  const ada = await api.tokenFor("reviewer", { systems: [press.id] });
  const bob = await api.tokenFor("reviewer", { systems: [press.id] });
  const eve = await api.tokenFor("reviewer", { systems: [pump.id] });
  const both = await api.tokenFor("reviewer", { systems: [press.id, pump.id] });
  const made = {
    // Ada does not reach the pump, so this is about nothing.
    nothing: await decide(ada, pump.id),
    press: await decide(ada, press.id),
    hers: await decide(ada),
    pump: await decide(eve, pump.id),
    two: await decide(both),
    all: await decide(admin),
  };
  const ids = (...names: (keyof typeof made)[]) => names.map((name) => made[name]).sort();
  expect(await listed(ada)).toEqual(ids("nothing", "press", "hers"));
  expect(await listed(bob)).toEqual(ids("press", "hers"));
  expect(await listed(eve)).toEqual(ids("pump"));
  expect(await listed(both)).toEqual(ids("press", "hers", "pump", "two"));
  expect(await listed(admin)).toEqual(Object.values(made).sort());
  expect(await shown(ada, made.nothing)).toBe(200);
  for (const other of [bob, eve, both]) {
    expect(await shown(other, made.nothing)).toBe(404);
    const cancel = await api.call(other.token, "POST", `${PATH}/${made.nothing}/cancel`);
    await expectProblem(cancel, "review-task-not-found");
    const file = await (await api.call(other.token, "GET", `${PATH}?format=ndjson`)).text();
    expect(file).not.toContain(made.nothing);
  }
  expect((await api.call(ada.token, "POST", `${PATH}/${made.nothing}/cancel`)).status).toBe(200);
});
