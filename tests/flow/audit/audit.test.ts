/** The record of who did what only grows; admins read it page by page. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AuditEntry } from "../../../src/contract/oversight.ts";
import { SERVICE } from "../../../src/store/audit.ts";
import { ApiBench, type TestApi, type TestUser } from "../../support/api.ts";
import { type NewAuditEntry, writeAudit } from "../../support/audit.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, linkedPages } from "../../support/registry.ts";

interface Page<T> {
  items: T[];
  next: string | null;
}

let bench: ApiBench;
let api: TestApi;
let admin: TestUser;
const actor = { id: crypto.randomUUID(), name: "rita" };
const begin = Date.now();
const entry = (n: number): NewAuditEntry => ({
  actor: n % 2 === 0 ? actor : SERVICE,
  action: n < 4 ? "test.early" : "test.late",
  subject_type: n % 3 === 0 ? "job" : "reading",
  subject_id: String(n),
  before: { text: "a\u0000b", n },
  after: n % 2 === 0 ? [n] : null,
  note: n === 0 ? null : `note ${n}`,
});

beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  admin = await api.tokenFor("admin");
  await writeAudit(bench.database.sql, []);
  await writeAudit(
    bench.database.sql,
    Array.from({ length: 7 }, (_, n) => entry(n)),
  );
});
afterAll(() => bench.close());

const get = (path: string, user = admin) => api.call(user.token, "GET", path);
const list = async (query: string) =>
  (await bodyOf<Page<AuditEntry>>(await get(`/api/v1/audit${query}`))).items;

describe("the record", () => {
  test("comes newest first, each entry once, as it was written", async () => {
    const seen: AuditEntry[] = [];
    for (let link: string | null = "/api/v1/audit?limit=3"; link !== null; ) {
      const response = await get(link);
      const page: Page<AuditEntry> = await bodyOf(response);
      expect(response.headers.get("Link")).toBe(page.next && `<${page.next}>; rel="next"`);
      seen.push(...page.items);
      link = page.next;
    }
    expect(seen.map((e) => e.subject_id)).toEqual(["6", "5", "4", "3", "2", "1", "0"]);
    const [last] = seen;
    expect(last).toMatchObject({
      actor: actor.id,
      actor_name: "rita",
      action: "test.late",
      subject_type: "job",
      task_id: null,
      before: { text: "a\u0000b", n: 6 },
      after: [6],
      note: "note 6",
    });
    expect(Date.parse(last?.at ?? "")).toBeWithin(begin - 60_000, Date.now() + 60_000);
    expect(seen[1]).toMatchObject({ actor: null, actor_name: "service", after: null });
  });

  test("of a range of time comes page by page in the same order", async () => {
    const range = `from=${new Date(begin - 60_000).toISOString()}&to=${new Date(begin + 600_000).toISOString()}`;
    const seen = await linkedPages<AuditEntry>(api, admin.token, `/api/v1/audit?${range}&limit=2`);
    expect(seen.map((e) => e.subject_id)).toEqual(["6", "5", "4", "3", "2", "1", "0"]);
  });

  test.each([
    ["?action=test.early", ["3", "2", "1", "0"]],
    [`?actor=${actor.id.toUpperCase()}`, ["6", "4", "2", "0"]],
    ["?subject_type=job", ["6", "3", "0"]],
    ["?subject_type=reading&subject_id=4", ["4"]],
    ["?subject_id=4", ["4"]],
    ["?subject_id=nobody", []],
    [`?to=${new Date(begin - 86_400_000).toISOString()}`, []],
    [`?from=${new Date(begin - 86_400_000).toISOString()}&action=test.late`, ["6", "5", "4"]],
  ])("is narrowed by %s", async (query, ids) => {
    expect((await list(query)).map((e) => e.subject_id)).toEqual(ids);
  });

  test.each([
    "actor=x",
    "subject_type=x",
    "from=now",
    "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    "limit=501",
    "after=x",
    "after=WyJ4Il0",
    "subject=1",
  ])("is refused for %s", async (query) => {
    const { errors } = await expectProblem(await get(`/api/v1/audit?${query}`), "invalid-request");
    expect(errors?.[0]?.pointer).toBe(`/${query.split("=")[0]}`);
  });

  test.each([
    ["UPDATE", "UPDATE diagnostics_audit SET note = 'x'"],
    ["UPDATE", "UPDATE diagnostics_audit SET note = 'x' WHERE false"],
    ["DELETE", "DELETE FROM diagnostics_audit"],
    ["TRUNCATE", "TRUNCATE diagnostics_audit"],
    ["UPDATE", "SET session_replication_role = replica; UPDATE diagnostics_audit SET note = 'x'"],
    ["DELETE", "SET session_replication_role = replica; DELETE FROM diagnostics_audit"],
    ["TRUNCATE", "SET session_replication_role = replica; TRUNCATE diagnostics_audit CASCADE"],
    [
      "UPDATE",
      "MERGE INTO diagnostics_audit a USING (VALUES (1)) v ON true WHEN MATCHED THEN UPDATE SET note = 'x'",
    ],
    [
      "UPDATE",
      `INSERT INTO diagnostics_audit OVERRIDING SYSTEM VALUE SELECT * FROM diagnostics_audit
        ON CONFLICT (id) DO UPDATE SET note = 'x'`,
    ],
    [
      "DELETE",
      `CREATE TABLE above (LIKE diagnostics_audit); ALTER TABLE diagnostics_audit INHERIT above; DELETE FROM above`,
    ],
    [
      "UPDATE",
      `CREATE TABLE above (LIKE diagnostics_audit); ALTER TABLE diagnostics_audit INHERIT above;
        UPDATE above SET note = 'x'`,
    ],
  ])("refuses %s: %s", async (operation, statement) => {
    const before = await list("");
    const fault = await bench.database.sql.unsafe(statement).then(
      () => null,
      (error: unknown) => error as Error & { code: string },
    );
    await bench.database.sql.unsafe("RESET session_replication_role");
    expect(fault?.code).toBe("42501");
    expect(fault?.message).toContain(`append-only: ${operation} is refused`);
    expect(await list("")).toEqual(before);
  });
});

describe("a role that does not own the record, as docs/review.md has it", () => {
  const role = `app_${crypto.randomUUID().slice(0, 8)}`;
  const keeper = `${role}_record`;
  /** As the role, in a transaction that is rolled back. @returns SQLSTATE; null: it is allowed */
  const attempt = async (statement: string): Promise<string | null> => {
    const done = new Error("rolled back");
    const fault = await bench.database.sql
      .begin(async (sql) => {
        await sql.unsafe(`CREATE ROLE ${keeper} NOLOGIN; CREATE ROLE ${role} NOLOGIN;
          ALTER TABLE diagnostics_audit OWNER TO ${keeper};
          ALTER FUNCTION diagnostics_audit_is_kept() OWNER TO ${keeper};
          ALTER SCHEMA public OWNER TO ${keeper};
          GRANT SELECT, INSERT ON diagnostics_audit TO ${role};
          GRANT USAGE, CREATE ON SCHEMA public TO ${role};
          DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO ${role}', current_database()); END $$;
          SET LOCAL ROLE ${role}`);
        await sql.unsafe(statement);
        throw done;
      })
      .catch((error: unknown) => error as Error & { code: string });
    return fault === done ? null : (fault as { code: string }).code;
  };

  test.each([
    "SELECT count(*) FROM diagnostics_audit",
    `INSERT INTO diagnostics_audit (actor_name, action, subject_type, subject_id) VALUES ('a', 'test', 'job', '1')`,
  ])("may do what the service does: %s", async (statement) => {
    expect(await attempt(statement)).toBeNull();
  });

  test.each([
    "UPDATE diagnostics_audit SET note = 'x'",
    "ALTER TABLE diagnostics_audit DISABLE TRIGGER ALL",
    "DROP TRIGGER diagnostics_audit_kept ON diagnostics_audit",
    "ALTER TABLE diagnostics_audit ALTER COLUMN note TYPE text USING 'x'",
    "DROP TABLE diagnostics_audit",
    "DROP SCHEMA public CASCADE",
    "ALTER SCHEMA public RENAME TO gone",
    "DROP FUNCTION diagnostics_audit_is_kept() CASCADE",
    "ALTER TABLE diagnostics_audit RENAME TO gone",
    "CREATE RULE none AS ON INSERT TO diagnostics_audit DO INSTEAD NOTHING",
    "SET session_replication_role = replica",
  ])("may not: %s", async (statement) => {
    expect(await attempt(statement)).toBe("42501");
  });
});

describe("the record", () => {
  test.each(["engineer", "reviewer", "producer"] as const)("is not for a %s", async (role) => {
    const user = await api.tokenFor(role);
    await expectProblem(await get("/api/v1/audit", user), "forbidden");
  });
});
