/**
 * Owns the ingest threads. One that throws, falls silent or ends is replaced by one with a new name, which takes
 * over its entries.
 *
 *   waiting ──start──> starting ──ready──> running ──drain──> draining ──drained──> stopped
 *      ^                  │                   │                   │
 *      └──── back-off ────┴──── died ─────────┘                   └── died or deadline ──> stopped
 */
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import { sleep } from "../ops/retry.ts";
import type { FromThread, ThreadSettings, ToThread } from "./messages.ts";

export type SlotState = "waiting" | "starting" | "running" | "draining" | "stopped";

/** A thread as `/health` shows it. */
export interface WorkerSummary {
  readonly slot: number;
  readonly state: SlotState;
  readonly consumer: string;
  readonly restarts: number;
  /** Entries read and not settled. */
  readonly in_hand: number;
  /** Since the last sign of life, ms. */
  readonly silent_ms: number;
  readonly last_error: string | null;
}

export interface SupervisorSettings {
  readonly threads: number;
  /** Silence after which a thread is replaced, ms. */
  readonly heartbeat_timeout_ms: number;
  /** Unique for this life of the process, e.g. host:pid:start. */
  readonly process_name: string;
  readonly thread: Omit<ThreadSettings, "consumer" | "predecessor">;
  /** File to run; another one in tests of failing threads. */
  readonly entry?: URL;
}

interface Slot {
  readonly index: number;
  state: SlotState;
  worker: Worker | null;
  consumer: string;
  predecessor: string | null;
  lives: number;
  lastSign_ms: number;
  inHand: number;
  lastError: string | null;
  /** When it died, monotonic ms, newest last; only those within the intensity window. */
  deaths: number[];
  restart: ReturnType<typeof setTimeout> | null;
}

const TRANSITIONS: Readonly<Record<SlotState, readonly SlotState[]>> = {
  waiting: ["starting", "stopped"],
  starting: ["running", "waiting", "draining", "stopped"],
  running: ["waiting", "draining"],
  draining: ["stopped"],
  stopped: [],
};

const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 30_000;
/** More deaths than this in the window, and the next start waits for the longest back-off. */
const INTENSITY = { deaths: 5, window_ms: 60_000 } as const;

export class Supervisor {
  readonly #slots: Slot[];
  #watch: ReturnType<typeof setInterval> | null = null;

  /** @param onMessage hears every message but heartbeats */
  constructor(
    private readonly settings: SupervisorSettings,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly onMessage: (message: FromThread) => void,
  ) {
    this.#slots = Array.from({ length: settings.threads }, (_, index) => ({
      index,
      state: "waiting",
      worker: null,
      consumer: "",
      predecessor: null,
      lives: 0,
      lastSign_ms: 0,
      inHand: 0,
      lastError: null,
      deaths: [],
      restart: null,
    }));
  }

  start(): void {
    for (const slot of this.#slots) this.#start(slot);
    const every_ms = Math.max(50, this.settings.heartbeat_timeout_ms / 10);
    this.#watch = setInterval(() => this.#replaceSilent(), every_ms);
  }

  /** Drain all threads; those not done after `deadline_ms` are ended and their entries stay in the stream. */
  async stop(deadline_ms: number): Promise<void> {
    if (this.#watch) clearInterval(this.#watch);
    const begin = this.clock.monotonic_ms();
    for (const slot of this.#slots) this.#drain(slot, deadline_ms * 0.75);
    const open = () => this.#slots.some((slot) => slot.state !== "stopped");
    while (open() && this.clock.monotonic_ms() - begin < deadline_ms) await sleep(10);
    for (const slot of this.#slots.filter((s) => s.state !== "stopped")) {
      this.log.warn({ worker: slot.consumer, in_hand: slot.inHand }, "thread ended before it was done");
      this.#end(slot);
      this.#become(slot, "stopped");
    }
  }

  /** How each thread is now, for people and metrics. */
  summaries(): WorkerSummary[] {
    const now = this.clock.monotonic_ms();
    return this.#slots.map((slot) => ({
      slot: slot.index,
      state: slot.state,
      consumer: slot.consumer,
      restarts: Math.max(0, slot.lives - 1),
      in_hand: slot.inHand,
      silent_ms: Math.round(now - slot.lastSign_ms),
      last_error: slot.lastError,
    }));
  }

  /** End a thread as a crash would (for tests and operators); it is replaced. */
  kill(index: number): void {
    const slot = this.#slots[index];
    if (slot?.worker) this.#died(slot, "killed");
  }

  #start(slot: Slot): void {
    this.#become(slot, "starting");
    slot.restart = null;
    slot.lives += 1;
    slot.inHand = 0;
    slot.consumer = `${this.settings.process_name}:${slot.index}.${slot.lives}`.slice(-63);
    slot.lastSign_ms = this.clock.monotonic_ms();
    const worker = new Worker(this.settings.entry ?? new URL("./thread.ts", import.meta.url), {
      name: "ingest",
    });
    slot.worker = worker;
    const current = () => slot.worker === worker;
    worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
      if (current()) this.#hear(slot, data);
    };
    worker.onerror = (event) => {
      if (current()) this.#died(slot, event.message);
    };
    worker.addEventListener("close", () => {
      if (current()) this.#died(slot, "ended");
    });
    const { consumer, predecessor } = slot;
    this.#tell(slot, { kind: "start", settings: { ...this.settings.thread, consumer, predecessor } });
  }

  #hear(slot: Slot, message: FromThread): void {
    slot.lastSign_ms = this.clock.monotonic_ms();
    if (message.kind === "heartbeat") {
      slot.inHand = message.in_hand;
      return;
    }
    if (message.kind === "ready" && slot.state === "starting") this.#become(slot, "running");
    if (message.kind === "fatal") this.#died(slot, message.message);
    if (message.kind === "drained") {
      this.#end(slot);
      this.#become(slot, "stopped");
    }
    this.onMessage(message);
  }

  #drain(slot: Slot, deadline_ms: number): void {
    if (slot.state === "draining" || slot.state === "stopped") return;
    if (slot.restart) clearTimeout(slot.restart);
    if (slot.state === "waiting") {
      this.#become(slot, "stopped");
      return;
    }
    this.#become(slot, "draining");
    this.#tell(slot, { kind: "drain", deadline_ms });
  }

  #replaceSilent(): void {
    const now = this.clock.monotonic_ms();
    for (const slot of this.#slots) {
      const watched = slot.state === "starting" || slot.state === "running";
      const silent_ms = now - slot.lastSign_ms;
      if (watched && silent_ms > this.settings.heartbeat_timeout_ms) {
        this.#died(slot, `no sign of life for ${Math.round(silent_ms)} ms`);
      }
    }
  }

  #died(slot: Slot, why: string): void {
    slot.lastError = why;
    this.#end(slot);
    if (slot.state === "draining") {
      this.#become(slot, "stopped");
      return;
    }
    slot.predecessor = slot.consumer;
    this.#become(slot, "waiting");
    const delay_ms = this.#restartDelay(slot);
    this.log.error({ worker: slot.consumer, why, restart_in_ms: delay_ms }, "ingest thread died");
    slot.restart = setTimeout(() => this.#start(slot), delay_ms);
  }

  #restartDelay(slot: Slot): number {
    const now = this.clock.monotonic_ms();
    slot.deaths = [...slot.deaths, now].filter((at) => now - at < INTENSITY.window_ms);
    if (slot.deaths.length > INTENSITY.deaths) return MAX_RESTART_MS;
    return FIRST_RESTART_MS * 2 ** (slot.deaths.length - 1);
  }

  #end(slot: Slot): void {
    const { worker } = slot;
    slot.worker = null;
    slot.inHand = 0;
    worker?.terminate();
  }

  #tell(slot: Slot, message: ToThread): void {
    slot.worker?.postMessage(message);
  }

  #become(slot: Slot, next: SlotState): void {
    if (!TRANSITIONS[slot.state].includes(next))
      throw new Error(`slot ${slot.index}: ${slot.state} cannot become ${next}`);
    slot.state = next;
  }
}
