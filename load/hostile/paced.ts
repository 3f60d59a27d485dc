/** The honest producer beside an attack: by the clock, whether or not earlier requests were answered. */
import { Histogram } from "../../src/feed/histogram.ts";
import { Dataset } from "../bench/dataset.ts";
import { Connection, postRequest } from "../bench/http-connection.ts";
import { INGEST_PATH, type Latency, latencyOf } from "../bench/http-runs.ts";
import { recordingOf } from "../bench/recording.ts";
import { WrongDataError } from "../bench/tables.ts";
import type { Honest } from "./honest.ts";

const BATCH = 100;
const EVERY_MS = 50;
const CONNECTIONS = 16;
/** Readings, more than any run sends. */
const ROWS = 4_000_000;
/** Its sensors are its own. */
const RIG = 1_000;

/** Where and as whom it sends; goes to a thread. */
export interface PacedSettings {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly string[];
}

export interface PacedResult {
  readonly sent: number;
  /** Answers that were no 202, by status; 0: none. Has to be empty. */
  readonly not_accepted: Readonly<Record<string, number>>;
  readonly accepted: Honest;
  readonly accept: Latency;
}

/** Sends until it is told to stop, by the clock, whether or not earlier requests were answered. */
export class PacedProducer {
  readonly #accept = new Histogram();
  readonly #notAccepted: Record<string, number> = {};
  readonly #bodies: Generator<Buffer>;
  readonly #lanes: Promise<unknown>;
  #sent = 0;
  #stopping = false;

  constructor(private readonly settings: PacedSettings) {
    this.#bodies = new Dataset({ ...recordingOf(ROWS).shape, rig: RIG }).bodies(BATCH);
    const begin = performance.now();
    this.#lanes = Promise.all(Array.from({ length: CONNECTIONS }, () => this.#lane(begin)));
  }

  async stop(): Promise<PacedResult> {
    this.#stopping = true;
    await this.#lanes;
    const [sent, not_accepted] = [this.#sent, this.#notAccepted];
    const refused = Object.values(not_accepted).reduce((sum, n) => sum + n, 0);
    const accepted = { jobs: sent - refused, rows: (sent - refused) * BATCH };
    return { sent, not_accepted, accepted, accept: latencyOf(this.#accept) };
  }

  async #lane(begin: number): Promise<void> {
    const { host, port, tokens } = this.settings;
    let connection = await Connection.open(host, port);
    while (!this.#stopping) {
      const n = this.#sent++;
      const body = this.#bodies.next().value as Buffer | undefined;
      if (body === undefined)
        throw new WrongDataError("the run is longer than its honest producer has readings");
      const due = begin + n * EVERY_MS;
      await Bun.sleep(Math.max(0, due - performance.now()));
      const token = tokens[n % tokens.length]!;
      const request = postRequest(host, INGEST_PATH, token, body);
      const status = await connection.send(request).then(
        (answer) => answer.status,
        () => 0,
      );
      this.#accept.add(performance.now() - due);
      if (status === 202) continue;
      this.#notAccepted[status] = (this.#notAccepted[status] ?? 0) + 1;
      if (status === 0) connection = await Connection.open(host, port);
    }
    connection.close();
  }
}

/** The producer in a thread of its own, see paced-thread.ts. @returns a function that stops it */
export function startPaced(settings: PacedSettings): () => Promise<PacedResult> {
  const thread = new Worker(new URL("paced-thread.ts", import.meta.url));
  const told = new Promise<PacedResult>((resolve, reject) => {
    thread.onmessage = ({ data }: MessageEvent<FromThread>) =>
      "result" in data ? resolve(data.result) : reject(new WrongDataError(data.failed));
    thread.onerror = (event) => reject(new Error(`the honest producer ended: ${event.message}`));
  });
  told.catch(() => undefined);
  thread.postMessage(settings satisfies ToThread);
  return async () => {
    thread.postMessage("stop" satisfies ToThread);
    try {
      return await told;
    } finally {
      thread.terminate();
    }
  };
}

export type ToThread = PacedSettings | "stop";

export type FromThread = { readonly result: PacedResult } | { readonly failed: string };
