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
  /** End `pause` or `refuse`; bytes that were held back go on. */
  resume(): void;
  /** Open connections. */
  connections(): number;
  /** Break everything and stop listening. */
  close(): Promise<void>;
}

type Mode = "flow" | "silent" | "refusing";

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

  /** By hand and not by pipe(): a pipe resumes its source by itself, and silence must last. */
  #forward(from: net.Socket, to: net.Socket): void {
    from.on("data", (chunk) => {
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => {
      if (!this.#silent) from.resume();
    });
  }

  silence(): void {
    this.#silent = true;
    this.client.pause();
    this.#upstream.pause();
  }

  flow(): void {
    this.#silent = false;
    this.client.resume();
    this.#upstream.resume();
  }

  break(): void {
    this.client.resetAndDestroy();
    this.#upstream.resetAndDestroy();
  }
}

/** Start a proxy to the host and port of a URL (`postgres://…`, `redis://…`, `http://…`). */
export async function createProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const address = { host: target.hostname, port: Number(target.port) };
  const links = new Set<Link>();
  let mode: Mode = "flow";
  const server = net.createServer((client) => {
    if (mode === "refusing") {
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, address, (ended) => links.delete(ended));
    links.add(link);
    if (mode === "silent") link.silence();
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
    resume() {
      mode = "flow";
      for (const link of links) link.flow();
    },
    connections: () => links.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
