/**
 * Private services that talk TLS: PostgreSQL takes nothing else (but for the harness, in its own database), and Redis
 * listens on a port that understands nothing else. Certificates are of an authority of the suite's own.
 */
import { X509Certificate } from "node:crypto";
import { copyFile, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { Redis } from "ioredis";
import postgres from "postgres";
import { type Account, chooseAccount, giveTo } from "../../../src/services/account.ts";
import { choosePort } from "../../../src/services/free-port.ts";
import { PoolSockets } from "../../../src/store/pool-sockets.ts";
import { databaseAddress } from "../../../src/store/tls/database-address.ts";
import { Authority, type Certificate } from "../authority.ts";
import { until } from "../until.ts";
import { PrivateServices } from "./private-services.ts";

const HOST = "localhost";
const NAMES = [HOST, "127.0.0.1"];
const DAY_MS = 86_400_000;

/** The databases that only the harness uses may be talked to plainly. */
const HBA = `hostssl all all 127.0.0.1/32 scram-sha-256
host postgres,hydraulic all 127.0.0.1/32 scram-sha-256
`;

export class TlsServices {
  authority = new Authority("CA of the suite");
  readonly stranger = new Authority("CA of somebody else");

  private constructor(
    private readonly services: PrivateServices,
    private readonly account: Account,
    private readonly sql: postgres.Sql,
    private readonly redis: Redis,
    readonly redisPort: number,
  ) {}

  static async start(): Promise<TlsServices> {
    const services = await PrivateServices.start();
    const account = await chooseAccount(services.dataDir);
    const sql = postgres(Object.assign(new URL(services.databaseUrl), { pathname: "/postgres" }).href, {
      max: 1,
    });
    const redis = new Redis(services.redisUrl);
    const tls = new TlsServices(services, account, sql, redis, await choosePort(undefined, []));
    await tls.#encrypt();
    return tls;
  }

  /** Where a file of the suite is. */
  path(name: string): string {
    return join(this.services.dataDir, "tls", name);
  }

  /** Put a file in place at once, readable by the services. */
  async write(name: string, text: string): Promise<string> {
    const path = this.path(name);
    await mkdir(this.path(""), { recursive: true });
    await writeFile(`${path}.tmp`, text, { mode: 0o600 });
    await giveTo(this.account, `${path}.tmp`);
    await rename(`${path}.tmp`, path);
    return path;
  }

  /** A certificate of the authority for both servers. */
  good(): Certificate {
    return this.authority.issue({ names: NAMES });
  }

  expired(): Certificate {
    const [notBefore, notAfter] = [new Date(Date.now() - 9 * DAY_MS), new Date(Date.now() - 2 * DAY_MS)];
    return this.authority.issue({ names: NAMES, notBefore, notAfter });
  }

  ofAnotherName(): Certificate {
    return this.authority.issue({ names: ["db.example"] });
  }

  ofAStranger(): Certificate {
    return this.stranger.issue({ names: NAMES });
  }

  /** The servers show this certificate from now on to whoever connects. */
  async present({ cert, key }: Certificate): Promise<void> {
    const [certPath, keyPath] = [await this.write("server.pem", cert), await this.write("server.key", key)];
    await this.sql`SELECT pg_reload_conf()`;
    await this.redis.config("SET", "tls-cert-file", certPath, "tls-key-file", keyPath);
    const serial = new X509Certificate(cert).serialNumber;
    await until("PostgreSQL shows the new certificate", async () => (await this.#shown()) === serial);
  }

  /**
   * Everything is made anew: the authority, the servers' certificates, and the client's. Files are replaced as whoever
   * renews certificates does it, those of the clients first.
   */
  async renew(): Promise<void> {
    this.authority = new Authority("CA of the suite, second edition");
    await this.#writeOwn();
    await this.redis.config("SET", "tls-ca-cert-file", this.path("ca.pem"));
    await this.present(this.good());
  }

  /** Every connection to a database of the suite, and every one over Redis' TLS port, ends. */
  async cut(): Promise<void> {
    await this.sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test\\_%'`;
    for (const { id, laddr } of await this.clients()) {
      if (laddr.endsWith(`:${this.redisPort}`)) await this.redis.call("CLIENT", "KILL", "ID", id);
    }
  }

  /** Clients of Redis: their ids, and the address that they came to. */
  async clients(): Promise<{ id: string; laddr: string }[]> {
    const list = String(await this.redis.client("LIST"));
    return list
      .split("\n")
      .filter(Boolean)
      .map((line) => ({ id: /\bid=(\d+)/.exec(line)![1]!, laddr: /\bladdr=(\S+)/.exec(line)![1]! }));
  }

  /** Connections to a database: by name, and whether they are encrypted and show a client's certificate. */
  async connections(database: string): Promise<{ name: string; ssl: boolean; client_dn: string | null }[]> {
    return this.sql<{ name: string; ssl: boolean; client_dn: string | null }[]>`
      SELECT application_name AS name, ssl, client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
      WHERE datname = ${database}`;
  }

  /** A new database, and Redis emptied. */
  async fresh(): Promise<{ database: string; redis: string }> {
    const { database } = await this.services.fresh();
    return { database: new URL(database).pathname.slice(1), redis: this.services.redisUrl };
  }

  /** @param query as `sslmode=require` */
  databaseUrl(database: string, query: string): string {
    const url = new URL(this.services.databaseUrl);
    url.hostname = HOST;
    url.pathname = `/${database}`;
    url.search = query;
    return url.href;
  }

  /** DATABASE_URL with all that libpq can check, and the client's certificate. */
  verified(database: string, more: Readonly<Record<string, string>> = {}): string {
    const query = {
      sslmode: "verify-full",
      sslrootcert: this.path("ca.pem"),
      sslcert: this.path("client.pem"),
      sslkey: this.path("client.key"),
      ...more,
    };
    return this.databaseUrl(database, new URLSearchParams(query).toString());
  }

  /** REDIS_URL of the port with TLS. */
  redisUrl(scheme: "redis" | "rediss" = "rediss"): string {
    const url = new URL(this.services.redisUrl);
    return `${scheme}://:${url.password}@${HOST}:${this.redisPort}/0`;
  }

  /** Files for Redis' clients. */
  redisFiles(): { ca: string; cert: string; key: string } {
    return { ca: this.path("ca.pem"), cert: this.path("client.pem"), key: this.path("client.key") };
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    await this.sql.end({ timeout: 1 });
    await this.services.close();
  }

  async #encrypt(): Promise<void> {
    const { cert, key } = this.good();
    await this.#writeOwn();
    await this.write("stranger.pem", this.stranger.cert);
    await this.write("server.pem", cert);
    await this.write("server.key", key);
    const cluster = join(this.services.dataDir, "postgres");
    const hba = await this.write("pg_hba.conf", HBA);
    await copyFile(hba, join(cluster, "pg_hba.conf"));
    for (const [setting, value] of [
      ["ssl_cert_file", this.path("server.pem")],
      ["ssl_key_file", this.path("server.key")],
      ["ssl_ca_file", this.path("ca.pem")],
      ["ssl", "on"],
    ])
      await this.sql.unsafe(`ALTER SYSTEM SET ${setting} = '${value}'`);
    const files = [
      "tls-cert-file",
      this.path("server.pem"),
      "tls-key-file",
      this.path("server.key"),
    ] as const;
    await this.redis.config("SET", ...files, "tls-ca-cert-file", this.path("ca.pem"));
    await this.redis.config("SET", "tls-port", String(this.redisPort));
    await this.present({ cert, key });
  }

  async #writeOwn(): Promise<void> {
    const client = this.authority.issue({ commonName: "hydraulic-ingest" });
    await this.write("ca.pem", this.authority.cert);
    await this.write("client.pem", client.cert);
    await this.write("client.key", client.key);
  }

  /** Serial number of the certificate that PostgreSQL shows. */
  async #shown(): Promise<string | undefined> {
    const { tls } = databaseAddress(this.databaseUrl("postgres", "sslmode=require"));
    const sockets = new PoolSockets(tls);
    const port = Number(new URL(this.services.databaseUrl).port);
    try {
      const socket = await sockets.connect({ host: [HOST], port: [port] });
      const { serialNumber } = (socket as TLSSocket).getPeerCertificate();
      return serialNumber;
    } finally {
      sockets.destroy();
    }
  }
}
