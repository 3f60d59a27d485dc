/** A client that buffers, before a fake service and in a time that stands: anew for each test of a file. */
import { afterEach, beforeEach } from "bun:test";
import type { ClientOptions, HydraulicClient, Reading } from "../../src/client/index.ts";
import { clientOf } from "./client.ts";
import { FakeService } from "./fake-service.ts";
import { StandingTime } from "./standing-time.ts";
import { until } from "./until.ts";

export class ClientSuite {
  fake!: FakeService;
  time!: StandingTime;
  /** The one that was started last. */
  client!: HydraulicClient;

  start(options: Partial<ClientOptions> = {}): HydraulicClient {
    this.client = clientOf(this.fake.url, { surroundings: this.time, ...options });
    return this.client;
  }

  /** Batches as they came, as the numbers of their readings. */
  batches(): number[][] {
    return this.fake.requests
      .filter(({ route }) => route === "ingest")
      .map(({ body }) => (JSON.parse(body) as { readings: Reading[] }).readings.map(numberOf));
  }

  batchesSent(count: number): Promise<unknown> {
    return until(`${count} batches are sent`, () => this.fake.count("ingest") === count);
  }
}

/** For the tests of a file; to be called once, at its top. */
export function useClient(): ClientSuite {
  const suite = new ClientSuite();
  beforeEach(async () => {
    suite.fake = await FakeService.start();
    suite.time = new StandingTime();
  });
  afterEach(async () => {
    await suite.client?.close({ deadline_ms: 0 }).catch(() => undefined);
    await suite.fake.stop();
  });
  return suite;
}

/** The number that `readingAt` made the reading of. */
export function numberOf({ timestamp }: Reading): number {
  return Date.parse(String(timestamp)) - Date.UTC(2026, 0, 1);
}
