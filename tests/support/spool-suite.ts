/** Clients that keep readings in a folder, and a fake service: anew for each test of a file. */
import { afterEach, beforeEach } from "bun:test";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientOptions, HydraulicClient, Reading, SpoolOptions } from "../../src/client/index.ts";
import { clientOf, readingAt } from "./client.ts";
import { FakeService } from "./fake-service.ts";

/** Nothing listens there. */
export const NOBODY = "http://127.0.0.1:9";
/** Batches of ten, however slowly they are written. */
export const TENS = { max_readings: 10, max_age_ms: 1e9 };

export class SpoolSuite {
  fake!: FakeService;
  folder!: string;
  readonly clients: HydraulicClient[] = [];

  open(
    url: string,
    spool: Partial<SpoolOptions> = {},
    options: Partial<ClientOptions> = {},
  ): HydraulicClient {
    const client = clientOf(url, { spool: { folder: this.folder, ...spool }, ...options });
    this.clients.push(client);
    return client;
  }

  /** A client that wrote batches of ten while nothing listened, and ended. */
  async leave(readings: number, spool: Partial<SpoolOptions> = {}): Promise<void> {
    const client = this.open(NOBODY, spool, { batch: TENS });
    for (let i = 0; i < readings; i += 1) await client.write(readingAt(i));
    await client.close({ deadline_ms: 0 });
  }

  files(name: string): Promise<string[]> {
    return readdir(join(this.folder, name)).then((names) => names.sort());
  }

  async folderBytes(): Promise<number> {
    let sum = 0;
    for (const name of ["segments", "rejected", "damaged"]) {
      for (const file of await this.files(name)) sum += (await stat(join(this.folder, name, file))).size;
    }
    return sum;
  }

  sentNumbers(): number[] {
    return this.fake.requests
      .filter(({ route }) => route === "ingest")
      .flatMap(({ body }) => (JSON.parse(body) as { readings: Reading[] }).readings)
      .map(({ timestamp }) => Date.parse(String(timestamp)) - Date.UTC(2026, 0, 1));
  }
}

/** For the tests of a file; to be called once, at its top. */
export function useSpool(): SpoolSuite {
  const suite = new SpoolSuite();
  beforeEach(async () => {
    suite.fake = await FakeService.start();
    suite.folder = await mkdtemp(join(tmpdir(), "hydraulic-spool-"));
  });
  afterEach(async () => {
    for (const client of suite.clients.splice(0)) await client.close({ deadline_ms: 0 });
    await suite.fake.stop();
    await rm(suite.folder, { recursive: true });
  });
  return suite;
}

export const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
