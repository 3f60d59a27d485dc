/** Two systems with one of everything in each, and users of every role: what the table of access is asked about. */

import { encodeEntry } from "../../src/contract/entry.ts";
import { encodeIncidentKey } from "../../src/contract/incident-key.ts";
import { newJobId } from "../../src/contract/job-id.ts";
import type { Role } from "../../src/contract/roles.ts";
import { createUnitRegistry } from "../../src/contract/units.ts";
import { newSecret } from "../../src/notify/signature.ts";
import { openDesk } from "../../src/review/open-desk.ts";
import { SERVICE } from "../../src/store/audit.ts";
import { deadKey } from "../../src/stream/keys.ts";
import { newUser } from "./access.ts";
import { type ApiBench, batchOf, type TestApi, type TestUser } from "./api.ts";
import { writeAudit } from "./audit.ts";
import { bodyOf, newSensor, newSystem } from "./registry.ts";

/** A system, and what belongs to it. */
export interface Place {
  readonly system_id: string;
  readonly sensor_id: string;
  /** Who sends to this system alone. */
  readonly producer_id: string;
  readonly token: string;
  /** An account that is limited to this system. */
  readonly user_id: string;
}

export interface Person extends TestUser {
  readonly role: Role;
}

const AT = new Date(Date.now() - 60_000);

export class World {
  private constructor(
    readonly bench: ApiBench,
    readonly api: TestApi,
    readonly admin: TestUser,
    readonly own: Place,
    readonly foreign: Place,
  ) {}

  static async create(bench: ApiBench, api: TestApi): Promise<World> {
    const admin = await api.tokenFor("admin");
    const place = async (): Promise<Place> => {
      const { id: system_id } = await newSystem(api, admin.token);
      const { id: sensor_id } = await newSensor(api, admin.token, system_id);
      const { id: producer_id, token } = await api.tokenFor("producer", { systems: [system_id] });
      const { id: user_id } = await newUser(api, admin.token, { systems: [system_id] });
      return { system_id, sensor_id, producer_id, token, user_id };
    };
    const world = new World(bench, api, admin, await place(), await place());
    for (const at of [world.own, world.foreign]) await world.#fill(at);
    return world;
  }

  /** A user of the role, limited to the own system or not. */
  async person(role: Role, isLimited: boolean): Promise<Person> {
    const systems = isLimited ? [this.own.system_id] : null;
    return { ...(await this.api.tokenFor(role, { systems })), role };
  }

  /** What lists are about, once. */
  async #fill(at: Place): Promise<void> {
    const { sql } = this.bench.database;
    await sql`INSERT INTO diagnostics_sensordata ("timestamp", value, sensor_id, system_id, quality, unit)
      VALUES (${AT}, 100, ${at.sensor_id}, ${at.system_id}, 95, 'bar')`;
    await sql`INSERT INTO diagnostics_quarantine_alert
        (system_id, share, peak_share, readings, quarantined, share_limit, window_s)
      VALUES (${at.system_id}, 0.2, 0.3, 100, 20, 0.05, 3600)`;
    await this.job(at, at.producer_id);
    await this.reading(at);
    await this.letter(at);
    await this.task(at);
    await this.key(at);
    const { system_id } = at;
    await writeAudit(sql, [
      {
        actor: SERVICE,
        action: "alert.raise",
        subject_type: "alert",
        subject_id: "1",
        system_id,
        after: { system_id },
      },
    ]);
  }

  /** The alert about the place. */
  async alert(at: Place): Promise<number> {
    const [row] = await this.bench.database.sql<{ id: number }[]>`
      SELECT id::float8 AS id FROM diagnostics_quarantine_alert WHERE system_id = ${at.system_id}`;
    return row?.id ?? 0;
  }

  /** A job that has ended. */
  async job(at: Place, created_by: string, status: "completed" | "failed" = "completed"): Promise<string> {
    const id = newJobId(0);
    await this.bench.database.sql`
      INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, inserted_readings,
        created_at, completed_at, newest_reading_at)
      VALUES (${id}, ${at.system_id}, ${created_by}, ${status}, 1, 1, ${AT}, ${AT}, ${AT})`;
    return id;
  }

  /** The job that a person may see: producers their own, the others somebody else's. */
  jobFor(me: Person, at: Place): Promise<string> {
    return this.job(at, me.role === "producer" ? me.id : at.producer_id);
  }

  /** A quarantined reading that waits. */
  async reading(at: Place): Promise<number> {
    const [row] = await this.bench.database.sql<{ id: number }[]>`
      INSERT INTO diagnostics_quarantined_reading
        (job_id, ordinal, system_id, sensor_id, "timestamp", value, unit, quality, raw, reason, reason_details, quarantined_at)
      VALUES (${crypto.randomUUID()}, 0, ${at.system_id}, ${at.sensor_id}, ${AT}, 900, 'bar', 95, '{}',
        'out_of_range', 'pressure 900 bar is above 700 bar', ${AT}) RETURNING id::float8 AS id`;
    return row!.id;
  }

  incident(at: Place): string {
    const [first_at, last_at] = [AT.getTime() - 1000, AT.getTime() + 1000].map((ms) =>
      new Date(ms).toISOString(),
    );
    const { system_id, sensor_id } = at;
    const key = {
      system_id,
      sensor_id,
      reason: "out_of_range",
      first_at: first_at!,
      last_at: last_at!,
    } as const;
    return encodeIncidentKey(key);
  }

  /** A decision about the system alone, which waits for a worker. */
  async task(at: Place): Promise<string> {
    const body = { action: "reject", selection: { filter: { system_id: at.system_id } }, note: "x" };
    const response = await this.api.call(this.admin.token, "POST", "/api/v1/quarantine/actions", body);
    return (await bodyOf<{ id: string }>(response, 202)).id;
  }

  /** A dead letter, its job failed. @returns its path below /api/v1, and its job */
  async letter(at: Place): Promise<{ path: string; job_id: string }> {
    const job_id = await this.job(at, at.producer_id, "failed");
    const { system_id, producer_id: user_id } = at;
    const meta = {
      job_id,
      system_id,
      user_id,
      request_id: "r",
      total_readings: 1,
      received_at_ms: AT.getTime(),
    };
    const entry = encodeEntry(meta, Buffer.from(JSON.stringify(batchOf(1, system_id))));
    const head = ["reason", "poison", "entry", "1-0", "buried_at_ms", String(AT.getTime())];
    const id = await this.bench.redis.xadd(deadKey(0), "*", ...head, ...entry);
    return { path: `/api/v1/dead-letters/0/${id}`, job_id };
  }

  /** A sensor of its own, for what ends it. */
  async sensor(at: Place): Promise<string> {
    return (await newSensor(this.api, this.admin.token, at.system_id)).id;
  }

  /** A webhook of the person; about the place out of reach, of somebody else. */
  async webhookFor(me: Person, at: Place): Promise<string> {
    const id = crypto.randomUUID();
    await this.bench.database.sql`INSERT INTO diagnostics_webhook (id, created_by, url, events, scope, secret)
      VALUES (${id}, ${at === this.foreign ? at.producer_id : me.id}, 'https://192.0.2.1/', '{job.completed}', 'own', ${newSecret()})`;
    return id;
  }

  /** A delivery of `webhookFor`. @returns its path below that of the webhooks */
  async deliveryFor(me: Person, at: Place): Promise<string> {
    const webhook_id = await this.webhookFor(me, at);
    const snapshot = JSON.stringify({ webhook_id, sent_by: "x" });
    const [row] = await this.bench.database.sql<{ id: number }[]>`
      INSERT INTO diagnostics_webhook_delivery (webhook_id, event, subject_id, snapshot)
      VALUES (${webhook_id}, 'webhook.test', ${webhook_id}, ${snapshot}::text::json) RETURNING id::float8 AS id`;
    return `${webhook_id}/deliveries/${row!.id}`;
  }

  /** A name that stands for the sensor. */
  async mapping(at: Place): Promise<string> {
    const path = `/api/v1/systems/${at.system_id}/mappings`;
    const body = { name: crypto.randomUUID(), sensor_id: at.sensor_id };
    return (await bodyOf<{ id: string }>(await this.api.call(this.admin.token, "PUT", path, body), 201)).id;
  }

  /** A key of the place's producer. */
  async key(at: Place): Promise<string> {
    return this.keyOf(at.producer_id);
  }

  async keyOf(user_id: string): Promise<string> {
    const body = { name: "x", scopes: ["ingest"], user_id };
    const response = await this.api.call(this.admin.token, "POST", "/api/v1/keys", body);
    return (await bodyOf<{ key: { id: string } }>(response, 201)).key.id;
  }

  /** The key that a person may see: admins those of users within the place, others their own and nobody else's. */
  keyFor(me: Person, at: Place): Promise<string> {
    return this.keyOf(me.role === "admin" || at === this.foreign ? at.producer_id : me.id);
  }

  /** Carry out a task as a worker does; those beside it are ended. */
  async workOff(task_id: string): Promise<void> {
    await this.bench.database.sql`UPDATE diagnostics_review_task SET state = 'cancelled', completed_at = now()
      WHERE state IN ('queued', 'running') AND id <> ${task_id}`;
    const rules = { units: createUnitRegistry(), registration: "auto" } as const;
    const { desk, tasks, close } = openDesk(this.bench.database, "test:world", rules, () => undefined);
    try {
      for (let task = await tasks.nextOpen(); task; task = await tasks.nextOpen()) await desk.step(task);
    } finally {
      await close();
    }
  }
}
