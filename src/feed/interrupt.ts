/** Ctrl-C in two steps: the first asks the work to end in order, the second ends it now. */

export interface Interrupt {
  /** No new work. */
  readonly stop: AbortSignal;
  /** Nothing more at all: requests and waits under way end. */
  readonly abandon: AbortSignal;
  /** Stop listening. */
  dispose(): void;
}

/** Listens to SIGINT and SIGTERM of this process until disposed. */
export function listenForInterrupts(told: (step: "stop" | "abandon") => void): Interrupt {
  const stop = new AbortController();
  const abandon = new AbortController();
  const onSignal = () => {
    const step = stop.signal.aborted ? "abandon" : "stop";
    told(step);
    (step === "stop" ? stop : abandon).abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    stop: stop.signal,
    abandon: abandon.signal,
    dispose() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
