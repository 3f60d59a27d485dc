/** Prometheus metrics of the HTTP server. */
import { Counter, Histogram, type Registry } from "prom-client";

/** Seconds. From 1 ms, because an accepted batch takes a few; up to the longest a body may take. */
const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Those that have a name of their own in metrics and traces. */
export const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
]);

export class HttpMetrics {
  readonly #requests: Counter<"route" | "method" | "status">;
  readonly #duration: Histogram<"route" | "method">;

  /** Adds its metrics to `registry`; a registry takes one `HttpMetrics`. */
  constructor(registry: Registry) {
    this.#requests = new Counter({
      name: "http_requests_total",
      help: "Requests answered, by route pattern, method and status",
      labelNames: ["route", "method", "status"],
      registers: [registry],
    });
    this.#duration = new Histogram({
      name: "http_request_duration_seconds",
      help: "From the request's head to its answer, the body's arrival included but no wait that the client asked for, by route pattern and method",
      labelNames: ["route", "method"],
      buckets: LATENCY_BUCKETS_S,
      registers: [registry],
    });
  }

  /**
   * Count one request.
   * @param route the pattern, never the path: paths are the client's choice and have no bound
   */
  observe(route: string, method: string, status: number, duration_ms: number): void {
    const known = METHODS.has(method) ? method : "other";
    this.#requests.inc({ route, method: known, status });
    this.#duration.observe({ route, method: known }, duration_ms / 1000);
  }
}
