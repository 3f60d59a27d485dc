/** Systems and sensors made through the API, for the suites of the registry. */
import { expect } from "bun:test";
import type { TestApi } from "./api.ts";

export interface TestSystem {
  id: string;
  name: string;
  description: string;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
}
export interface TestSensor extends Omit<TestSystem, "description"> {
  system_id: string;
  quantity: string;
  unit: string;
  expected_rate_hz: number | null;
  created_by: string | null;
  range: { min: number | null; max: number | null; source: string | null; version: number | null };
}
export interface TestSensorDetail extends TestSensor {
  first_reading_at: string | null;
  last_reading_at: string | null;
}

/** The body of a good answer. */
export async function bodyOf<T>(response: Response, status = 200): Promise<T> {
  const text = await response.text();
  expect(response.status, text).toBe(status);
  return JSON.parse(text) as T;
}

/** A new system with a name of its own. */
export async function newSystem(api: TestApi, token: string, given: object = {}): Promise<TestSystem> {
  const name = `press ${crypto.randomUUID().slice(0, 8)}`;
  return bodyOf(await api.call(token, "POST", "/api/v1/systems", { name, ...given }), 201);
}

/** A new sensor in bar with a name of its own. */
export async function newSensor(
  api: TestApi,
  token: string,
  system_id: string,
  given: object = {},
): Promise<TestSensor> {
  const name = `sensor ${crypto.randomUUID().slice(0, 8)}`;
  const path = `/api/v1/systems/${system_id}/sensors`;
  return bodyOf(await api.call(token, "POST", path, { name, unit: "bar", ...given }), 201);
}

/** Where a sensor is. */
export function pathOf(sensor: { id: string; system_id: string }): string {
  return `/api/v1/systems/${sensor.system_id}/sensors/${sensor.id}`;
}

/** All items of a list whose pages say what the next one begins after. */
export async function allPages<T>(api: TestApi, token: string, path: string, query: string): Promise<T[]> {
  const items: T[] = [];
  let after: string | number | null = null;
  do {
    const page: { items: T[]; next: string | number | null } = await bodyOf(
      await api.call(token, "GET", `${path}?${query}${after === null ? "" : `&after=${after}`}`),
    );
    items.push(...page.items);
    after = page.next;
  } while (after !== null);
  return items;
}

/** All items of a list whose pages name the next one. @param first page's path */
export async function linkedPages<T>(api: TestApi, token: string, first: string): Promise<T[]> {
  const items: T[] = [];
  for (let link: string | null = first; link !== null; ) {
    const page: { items: T[]; next: string | null } = await bodyOf(await api.call(token, "GET", link));
    items.push(...page.items);
    link = page.next;
  }
  return items;
}
