/**
 * A balancer as kube-proxy is one: it knows connections and no requests, gives new ones to the backends in turn, and
 * takes a backend out when its /readyz does not say 200, which it learns late. Loopback only.
 */
import net from "node:net";
import { until } from "../until.ts";

/** Between two looks at /readyz, ms. */
const LOOK_EVERY_MS = 200;

interface Backend {
  readonly port: number;
  serves: boolean;
  /** A look is under way: answers that overtake each other would bring a backend back that stops. */
  isAsked: boolean;
}

export class Balancer {
  readonly #backends = new Map<number, Backend>();
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;
  #turn = 0;
  /** Connections that no backend took. */
  refused = 0;
  readonly #looking: Timer;

  private constructor(
    server: net.Server,
    /** From the look until new connections go elsewhere: others have to be told, too, ms. */
    private readonly late_ms: number,
  ) {
    this.#server = server;
    this.#looking = setInterval(() => {
      for (const backend of this.#backends.values()) void this.#look(backend);
    }, LOOK_EVERY_MS);
  }

  static async start(late_ms: number): Promise<Balancer> {
    const server = net.createServer((client) => balancer.#connect(client));
    const balancer = new Balancer(server, late_ms);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  /** Resolves when the backend gets connections. */
  async add(url: string): Promise<void> {
    const backend: Backend = { port: Number(new URL(url).port), serves: false, isAsked: false };
    this.#backends.set(backend.port, backend);
    await until("the backend is in rotation", () => backend.serves);
  }

  /** It is gone for good. */
  remove(url: string): void {
    this.#backends.delete(Number(new URL(url).port));
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #look(backend: Backend): Promise<void> {
    if (backend.isAsked) return;
    backend.isAsked = true;
    const answer = await fetch(`http://127.0.0.1:${backend.port}/readyz`, {
      signal: AbortSignal.timeout(20_000),
    }).catch(() => null);
    backend.isAsked = false;
    const serves = answer?.status === 200;
    if (serves !== backend.serves) setTimeout(() => Object.assign(backend, { serves }), this.late_ms);
  }

  #connect(client: net.Socket): void {
    const serving = [...this.#backends.values()].filter(({ serves }) => serves);
    const backend = serving[this.#turn++ % serving.length];
    if (!backend) {
      this.refused += 1;
      client.resetAndDestroy();
      return;
    }
    const upstream = net.connect(backend.port, "127.0.0.1");
    let isTaken = false;
    upstream.once("connect", () => {
      isTaken = true;
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.pipe(other);
      // How the other end learns of it: an end is passed on by the pipe, a break is not.
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (socket === upstream && !isTaken) this.refused += 1;
        other.destroySoon();
      });
    }
  }
}
