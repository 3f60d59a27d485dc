/** A TCP proxy that can play every way a network fails: refused, broken, and silent. Loopback only. */
import net from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** The URL with this proxy in place of the URL's own host and port. */
  through(url: string): string;
  /** Break every open connection (RST). New ones work. */
  cut(): void;
  /** Break every open connection and every new one, until `resume`. */
  refuse(): void;
  /** Bytes stop in both directions, connections stay open, new ones get no answer; until `resume`. */
  pause(): void;
  /** Every piece of data comes so much later, in both directions; until `resume`. */
  slow(delay_ms: number): void;
  /** End `pause`, `refuse` or `slow`; bytes that were held back go on. */
  resume(): void;
  /** New connections go to the host and port of this URL, as behind a name that leads elsewhere now. */
  leadTo(url: string): void;
  /** Open connections. */
  connections(): number;
  /** Break everything and stop listening. */
  close(): Promise<void>;
}

type Mode = "flow" | "silent" | "refusing" | "slow";

/** One client and its connection to the target; both end together. */
class Link {
  readonly #upstream: net.Socket;

  constructor(
    private readonly client: net.Socket,
    target: { host: string; port: number },
    onEnd: (link: Link) => void,
  ) {
    this.#upstream = net.connect(target.port, target.host);
    const end = () => {
      this.break();
      onEnd(this);
    };
    for (const socket of [client, this.#upstream]) {
      socket.setNoDelay(true);
      // An error is always followed by close, and both mean the same here.
      socket.on("error", end);
      socket.on("close", end);
    }
    this.#forward(client, this.#upstream);
    this.#forward(this.#upstream, client);
  }

  #silent = false;
  #delay_ms = 0;
  /** Whose last piece of data is still on its way. */
  readonly #late = new Set<net.Socket>();

  /** By hand and not by pipe(): a pipe resumes its source by itself, and silence must last. */
  #forward(from: net.Socket, to: net.Socket): void {
    from.on("data", (chunk) => {
      if (this.#delay_ms > 0) this.#forwardLate(from, to, chunk);
      else if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => this.#goOn(from));
  }

  #goOn(from: net.Socket): void {
    if (!this.#silent && !this.#late.has(from)) from.resume();
  }

  /** Nothing is read meanwhile, so pieces stay in order. */
  #forwardLate(from: net.Socket, to: net.Socket, chunk: string | Buffer): void {
    from.pause();
    this.#late.add(from);
    setTimeout(() => {
      this.#late.delete(from);
      if (!to.destroyed && to.write(chunk)) this.#goOn(from);
    }, this.#delay_ms);
  }

  slow(delay_ms: number): void {
    this.#delay_ms = delay_ms;
  }

  silence(): void {
    this.#silent = true;
    this.client.pause();
    this.#upstream.pause();
  }

  flow(): void {
    this.#silent = false;
    this.#delay_ms = 0;
    this.#goOn(this.client);
    this.#goOn(this.#upstream);
  }

  break(): void {
    this.client.resetAndDestroy();
    this.#upstream.resetAndDestroy();
  }
}

/** Start a proxy to the host and port of a URL (`postgres://…`, `redis://…`, `http://…`). */
export async function createProxy(targetUrl: string): Promise<TcpProxy> {
  const addressOf = ({ hostname, port }: URL) => ({ host: hostname, port: Number(port) });
  let address = addressOf(new URL(targetUrl));
  const links = new Set<Link>();
  let mode: Mode = "flow";
  let delay_ms = 0;
  const server = net.createServer((client) => {
    if (mode === "refusing") {
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, address, (ended) => links.delete(ended));
    links.add(link);
    if (mode === "silent") link.silence();
    if (mode === "slow") link.slow(delay_ms);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as net.AddressInfo;
  const cut = () => {
    for (const link of links) link.break();
  };
  return {
    port,
    through(url) {
      const proxied = new URL(url);
      proxied.hostname = "127.0.0.1";
      proxied.port = String(port);
      return proxied.href;
    },
    cut,
    refuse() {
      mode = "refusing";
      cut();
    },
    pause() {
      mode = "silent";
      for (const link of links) link.silence();
    },
    slow(by_ms) {
      mode = "slow";
      delay_ms = by_ms;
      for (const link of links) link.slow(by_ms);
    },
    resume() {
      mode = "flow";
      for (const link of links) link.flow();
    },
    leadTo(url) {
      address = addressOf(new URL(url));
    },
    connections: () => links.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
