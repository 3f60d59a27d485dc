/** For tests of the client: readings, and clients of a fake service. */
import { type ClientOptions, HydraulicClient, type Reading } from "../../src/client/index.ts";
import { realSurroundings } from "../../src/client/time.ts";

export const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const SENSOR = "550e8400-e29b-41d4-a716-446655440001";

/** Good readings of one sensor, a millisecond apart, told apart by their number. */
export function readingAt(number: number, begun_ms = Date.UTC(2026, 0, 1)): Reading {
  const timestamp = new Date(begun_ms + number).toISOString();
  return { sensor_id: SENSOR, timestamp, value: number % 600, unit: "bar" };
}

export function readingsFrom(first: number, count: number): Reading[] {
  return Array.from({ length: count }, (_, i) => readingAt(first + i));
}

/** Retries come fast, everything else is as a user would have it. */
export function clientOf(url: string, options: Partial<ClientOptions> = {}): HydraulicClient {
  return new HydraulicClient({
    url,
    auth: { username: "feeder-1", password: "password" },
    system_id: SYSTEM,
    retry: { first_backoff_ms: 5, max_backoff_ms: 20, attempt_timeout_ms: 60_000 },
    surroundings: realSurroundings,
    ...options,
  });
}

/** What a promise is rejected with. @throws {Error} when it is not */
export async function refusalOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`rejected with ${String(error)}, which is no Error`);
  }
  throw new Error("it was fulfilled");
}
