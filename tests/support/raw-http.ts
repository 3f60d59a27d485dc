/** HTTP by hand over a socket, for what a well-behaved client cannot do: stall, lie, and never stop. */
import net from "node:net";

export interface RawConnection {
  /** Everything received so far. */
  received(): string;
  write(data: string | Uint8Array): void;
  isClosed(): boolean;
  /** Breaks the connection. */
  destroy(): void;
}

export async function connectRaw(port: number): Promise<RawConnection> {
  const socket = net.connect(port, "127.0.0.1");
  let received = "";
  let closed = false;
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  // What these tests look at is whether the connection is closed, by whatever end.
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    closed = true;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    received: () => received,
    write: (data) => {
      if (!closed) socket.write(data);
    },
    isClosed: () => closed,
    destroy: () => socket.destroy(),
  };
}

/** The head of a request; lines end with CRLF. */
export function head(method: string, path: string, headers: Record<string, string | number>): string {
  const lines = Object.entries({ Host: "test", ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n`;
}
