/**
 * Everybody else who uses the service while producers send: those who wait for their job in the request, who follow its
 * events, who upload slowly, who ask, who review, and who look at the console. Each notes how every request ended; nothing but a
 * connection that was lost before any answer is tried again.
 */
import { sseEvents } from "../sse.ts";
import { type Batch, SYSTEM_ID } from "./batches.ts";

/** No connection; a connection that ended before an answer; one that ended within it. */
export type Outcome = number | "refused" | "reset" | "cut";

interface VisitorSettings {
  /** Asked before each request. */
  readonly url: () => string;
  /** Of a producer; and of somebody who may see everything. */
  readonly token: string;
  readonly admin: string;
  readonly next: () => Batch;
}

const DEADLINE_MS = 30_000;
const AGAIN_MS = 50;
const REVIEW_EVERY_MS = 300;
/** A slow upload takes so long, in so many pieces. */
const UPLOAD = { ms: 600, pieces: 6 } as const;

export class Visitors {
  /** What was accepted, by job. */
  readonly accepted = new Map<string, Batch>();
  /** How requests ended, by what they were. */
  readonly outcomes = new Map<string, Outcome[]>();
  readonly #stop = new AbortController();
  readonly #loops: Promise<unknown>;

  constructor(private readonly settings: VisitorSettings) {
    const visits = [
      () => this.#waiting(),
      () => this.#waiting(),
      () => this.#following(),
      () => this.#uploading(),
      () => this.#uploading(),
      () => this.#asking(),
      () => this.#watching(),
      () => this.#reviewing(),
    ];
    this.#loops = Promise.all(visits.map((visit) => this.#again(visit)));
  }

  /** Ends each visit at its end. @throws what went wrong with one */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loops;
  }

  /** How often each outcome came, all kinds together or of one. */
  counts(kind?: string): Record<string, number> {
    const all = kind ? (this.outcomes.get(kind) ?? []) : [...this.outcomes.values()].flat();
    const counts: Record<string, number> = {};
    for (const outcome of all) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  }

  async #again(visit: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await visit();
      await Bun.sleep(AGAIN_MS);
    }
  }

  #note(kind: string, outcome: Outcome): void {
    const list = this.outcomes.get(kind);
    if (list) list.push(outcome);
    else this.outcomes.set(kind, [outcome]);
  }

  /** The answer, asked for again while the connection is lost before it. */
  async #fetch(kind: string, path: string, token: string, init: () => RequestInit = () => ({})) {
    for (;;) {
      const { headers, ...more } = init();
      const request = fetch(this.settings.url() + path, {
        ...more,
        headers: { Authorization: `Bearer ${token}`, ...(headers as Record<string, string>) },
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const response = await request.catch((error: Error & { code?: string }) => {
        if (error.name === "TimeoutError") throw new Error(`${kind}: no answer`, { cause: error });
        return error.code === "ECONNREFUSED" ? "refused" : "reset";
      });
      this.#note(kind, typeof response === "string" ? response : response.status);
      if (typeof response !== "string") return response;
      await Bun.sleep(AGAIN_MS);
    }
  }

  async #accept(
    kind: string,
    batch: Batch,
    headers: Record<string, string>,
    body: () => RequestInit["body"],
  ) {
    const response = await this.#fetch(kind, "/api/v1/data/ingest", this.settings.token, () => ({
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": batch.key, ...headers },
      body: body() ?? null,
    }));
    const answer = (await response.json()) as { job_id?: string };
    if (answer.job_id === undefined) throw new Error(`${kind}: ${response.status} ${JSON.stringify(answer)}`);
    this.accepted.set(answer.job_id, batch);
    return answer.job_id;
  }

  async #waiting(): Promise<void> {
    const batch = this.settings.next();
    await this.#accept("wait", batch, { Prefer: "wait=5" }, () => batch.body);
  }

  async #uploading(): Promise<void> {
    const batch = this.settings.next();
    await this.#accept("upload", batch, {}, () => slowly(batch.body));
  }

  /** Until the job has ended; a stream that ends before is opened again where it was. */
  async #following(): Promise<void> {
    const batch = this.settings.next();
    const job_id = await this.#accept("send", batch, {}, () => batch.body);
    let last = "";
    for (;;) {
      const headers = { "Last-Event-ID": last };
      const path = `/api/v1/jobs/${job_id}/events`;
      const response = await this.#fetch("events", path, this.settings.token, () => ({ headers }));
      if (response.status !== 200) return;
      try {
        for await (const { event, id } of sseEvents(response)) {
          last = id ?? last;
          if (event === "completed" || event === "failed") return;
        }
      } catch {
        this.#note("events", "cut");
      }
    }
  }

  async #asking(): Promise<void> {
    const paths = [
      "/api/v1/jobs/?limit=20",
      `/api/v1/systems/${SYSTEM_ID}/latest`,
      "/api/v1/quarantine/incidents",
    ];
    for (const path of paths) {
      const response = await this.#fetch("question", path, this.settings.admin);
      await response.text();
    }
  }

  /** Rejects whatever is in quarantine, in a task of its own. */
  async #reviewing(): Promise<void> {
    const body = JSON.stringify({ action: "reject", selection: { filter: { system_id: SYSTEM_ID } } });
    const response = await this.#fetch("review", "/api/v1/quarantine/actions", this.settings.admin, () => ({
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    }));
    await response.text();
    await Bun.sleep(REVIEW_EVERY_MS);
  }

  /** The console's overview, a few events of it. */
  async #watching(): Promise<void> {
    const response = await this.#fetch("overview", "/api/v1/overview/events", this.settings.admin);
    if (response.status !== 200) return;
    let seen = 0;
    try {
      for await (const _ of sseEvents(response)) {
        seen += 1;
        if (seen === 5 || this.#stop.signal.aborted) break;
      }
    } catch {
      this.#note("overview", "cut");
    }
    await response.body?.cancel().catch(() => undefined);
  }
}

/** The text in a few pieces over some time. */
function slowly(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const size = Math.ceil(bytes.length / UPLOAD.pieces);
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at > 0) await Bun.sleep(UPLOAD.ms / UPLOAD.pieces);
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
      if (at >= bytes.length) controller.close();
    },
  });
}
