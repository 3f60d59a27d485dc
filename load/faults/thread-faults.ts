/**
 * Loaded before the program in a worker process (`bun --preload`), and in each of its threads: obeys the faults tool,
 * which cannot reach a thread from outside. The service itself knows nothing of it.
 */
export type ThreadFault = "terminate" | "throw" | "reject" | "block";

/** From the tool to the process; the answer is the same with `done`. */
export interface ThreadOrder {
  readonly id: number;
  readonly fault: ThreadFault;
  /** From 0 to below 1: which of the living threads. */
  readonly draw: number;
  readonly hold_ms: number;
}
export interface ThreadReport {
  readonly id: number;
  /** What happened to the thread; null: there is none. */
  readonly seen: "closed" | "failed" | null;
}

const CHANNEL = "faults";
const NUMBER = "FAULTS_THREAD";

/** Threads are numbered by the process that makes them. */
function watchThreads(): void {
  const living = new Map<number, Worker>();
  let made = 0;
  const Plain = globalThis.Worker;
  globalThis.Worker = class extends Plain {
    constructor(url: string | URL, options?: WorkerOptions) {
      made += 1;
      const number = made;
      const env = { ...process.env, [NUMBER]: String(number) } as Record<string, string>;
      super(url, { ...options, env, preload: [import.meta.path] });
      living.set(number, this);
      this.addEventListener("close", () => living.delete(number));
    }
  };
  const channel = new BroadcastChannel(CHANNEL);
  process.on("message", (order: ThreadOrder) => {
    const numbers = [...living.keys()];
    const number = numbers[Math.floor(order.draw * numbers.length)];
    const worker = number === undefined ? undefined : living.get(number);
    if (!worker) {
      report({ id: order.id, seen: null });
      return;
    }
    worker.addEventListener("close", () => report({ id: order.id, seen: "closed" }), { once: true });
    worker.addEventListener("error", () => report({ id: order.id, seen: "failed" }), { once: true });
    if (order.fault === "terminate") worker.terminate();
    else channel.postMessage({ number, order });
  });
  // Neither the orders nor the channel may keep the program alive.
  (process as { channel?: { unref?(): void } }).channel?.unref?.();
  channel.unref();
}

function report(report: ThreadReport): void {
  process.send?.(report);
}

/** In a thread. */
function obey(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (message) => {
    const { number, order } = message.data as { number: number; order: ThreadOrder };
    if (String(number) !== process.env[NUMBER]) return;
    if (order.fault === "block") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.hold_ms);
    else if (order.fault === "throw")
      setTimeout(() => {
        throw new Error("thrown by the faults tool");
      });
    else void Promise.reject(new Error("rejected by the faults tool"));
  };
  channel.unref();
}

if (Bun.isMainThread) watchThreads();
else obey();
