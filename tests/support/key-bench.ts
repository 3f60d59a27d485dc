/** API keys of one service with two processes: how they are made, looked at, replaced and revoked. */
import type { KeyView, NewKeyBody } from "../../src/contract/access.ts";
import type { AuditEntry } from "../../src/contract/oversight.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "./api.ts";
import { auditOf } from "./audit.ts";
import { bodyOf, linkedPages, newSystem } from "./registry.ts";

export const KEYS_PATH = "/api/v1/keys";

export interface MadeKey {
  readonly key: KeyView;
  readonly secret: string;
}

/** What is done without another token is done by the producer, at the first process. */
export class KeyBench {
  private constructor(
    readonly bench: ApiBench,
    readonly one: TestApi,
    readonly two: TestApi,
    readonly admin: TestUser,
    readonly producer: TestUser,
    /** A system of the keys. */
    readonly mine: string,
    /** A system that they are to keep away from. */
    readonly foreign: string,
  ) {}

  static async create(): Promise<KeyBench> {
    const bench = await ApiBench.create();
    const options = { notes_every_ms: 50 };
    const [one, two] = [await bench.start(options), await bench.start(options)];
    const admin = await one.tokenFor("admin");
    const producer = await one.tokenFor("producer");
    const mine = (await newSystem(one, admin.token)).id;
    const foreign = (await newSystem(one, admin.token)).id;
    return new KeyBench(bench, one, two, admin, producer, mine, foreign);
  }

  post(body: object, token = this.producer.token): Promise<Response> {
    return this.one.call(token, "POST", KEYS_PATH, body);
  }

  async make(given: Partial<NewKeyBody> = {}, token = this.producer.token): Promise<MadeKey> {
    return bodyOf<MadeKey>(await this.post({ name: "logger", scopes: ["ingest"], ...given }, token), 201);
  }

  get(id: string, token = this.producer.token): Promise<Response> {
    return this.one.call(token, "GET", `${KEYS_PATH}/${id}`);
  }

  revoke(id: string, token = this.producer.token): Promise<Response> {
    return this.one.call(token, "DELETE", `${KEYS_PATH}/${id}`);
  }

  rotate(id: string, body: object, token = this.producer.token): Promise<Response> {
    return this.one.call(token, "POST", `${KEYS_PATH}/${id}/rotate`, body);
  }

  /** @param query further parameters, each with its "&" */
  list(query = "", token = this.producer.token): Promise<KeyView[]> {
    return linkedPages<KeyView>(this.one, token, `${KEYS_PATH}?limit=2${query}`);
  }

  /** What is on record of a key, newest first. */
  record(id: string): Promise<AuditEntry[]> {
    return auditOf(this.one, this.admin.token, "key", id);
  }

  /** One reading, as JSON. */
  batch(system_id = this.mine): string {
    return JSON.stringify(batchOf(1, system_id));
  }

  close(): Promise<void> {
    return this.bench.close();
  }
}
