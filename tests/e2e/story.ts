/**
 * What a newcomer does, in order, from the log-in to the record of a decision: the requests that the Postman
 * collection's folder "Story" sends and what each answer must say. It works on any installation: it registers a
 * system and a sensor of its own, and archives both at its end.
 */

/** One request of the story; its method, path and description come from the OpenAPI document. */
export interface Step {
  readonly name: string;
  /** Of the document. */
  readonly operation: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent instead of the token of the log-in; empty: none. */
  readonly token?: string;
  /** JavaScript of Postman's sandbox, before the request. */
  readonly before?: readonly string[];
  readonly status: number;
  /** JavaScript of Postman's sandbox, after it; `body` is the JSON of the answer. */
  readonly after?: readonly string[];
  /** Without the status that it must have, nothing after it can be true: the story ends. */
  readonly isNeeded?: true;
}

const keep = (name: string, value: string) => `pm.collectionVariables.set("${name}", ${value});`;
const expects = (guarantee: string, expression: string) =>
  `pm.test(${JSON.stringify(guarantee)}, () => { pm.expect(${expression}).to.equal(true); });`;
const isProblem = (name: string) =>
  expects(
    `is the problem ${name} (RFC 9457)`,
    `pm.response.headers.get("Content-Type") === "application/problem+json" && body.type === "/problems/${name}"`,
  );

/** Looks of the story at its job, and the pause between two, ms. */
const LOOKS = 100;
const PAUSE_MS = 200;
/** Ten minutes around the readings that the story sends. */
const RANGE = { from: "{{from}}", to: "{{to}}" };

const BATCH = {
  system_id: "{{system_id}}",
  readings: [
    { sensor_id: "{{sensor_id}}", timestamp: "{{t1}}", value: 125.5, unit: "bar" },
    { sensor_id: "{{sensor_id}}", timestamp: "{{t2}}", value: 1820, unit: "psi" },
    { sensor_id: "{{sensor_id}}", timestamp: "{{t3}}", value: 900, unit: "bar" },
  ],
};
const FIX = {
  action: "fix",
  selection: { ids: ["{{reading_id}}"] },
  change: { set: { unit: "psi" } },
  note: "End-to-end check: the logger sends psi and says bar",
};

const enter: readonly Step[] = [
  {
    name: "The service takes batches",
    operation: "readyz",
    token: "",
    status: 200,
    isNeeded: true,
    after: [expects("is ready", 'body.status === "ready"')],
  },
  {
    name: "Without a token there is no entry",
    operation: "listSystems",
    token: "",
    status: 401,
    after: [isProblem("authentication-required")],
  },
  {
    name: "Log in",
    operation: "login",
    token: "",
    body: { username: "{{username}}", password: "{{password}}" },
    status: 200,
    isNeeded: true,
    after: [
      keep("token", "body.access_token"),
      expects("gives a bearer token", 'body.token_type === "bearer"'),
    ],
  },
  {
    name: "Register a system",
    operation: "createSystem",
    before: [
      keep("run", "pm.variables.replaceIn('{{$guid}}')"),
      "const now = Date.now();",
      keep("t1", "new Date(now - 3000).toISOString()"),
      keep("t2", "new Date(now - 2000).toISOString()"),
      keep("t3", "new Date(now - 1000).toISOString()"),
      keep("from", "new Date(now - 300000).toISOString()"),
      keep("to", "new Date(now + 300000).toISOString()"),
    ],
    body: { name: "End-to-end check {{run}}", description: "Made and archived by the story" },
    status: 201,
    isNeeded: true,
    after: [keep("system_id", "body.id")],
  },
  {
    name: "Register a sensor",
    operation: "createSensor",
    body: { name: "Main pump pressure", unit: "bar" },
    status: 201,
    after: [keep("sensor_id", "body.id"), expects("measures pressure", 'body.quantity === "pressure"')],
  },
];

const send: readonly Step[] = [
  {
    name: "Send two good readings and one beyond 700 bar",
    operation: "ingestBatch",
    headers: { "Idempotency-Key": "{{run}}" },
    body: BATCH,
    status: 202,
    after: [
      keep("job_id", "body.job_id"),
      expects(
        "says where its job is",
        'pm.response.headers.get("Location") === "/api/v1/jobs/" + body.job_id + "/"',
      ),
    ],
  },
  {
    name: "Send it again: the same job",
    operation: "ingestBatch",
    headers: { "Idempotency-Key": "{{run}}" },
    body: BATCH,
    status: 202,
    after: [
      expects("is a replay", 'pm.response.headers.get("Idempotent-Replayed") === "true"'),
      expects("of the same job", 'body.job_id === pm.collectionVariables.get("job_id")'),
    ],
  },
  {
    name: "Another batch under the same key is refused",
    operation: "ingestBatch",
    headers: { "Idempotency-Key": "{{run}}" },
    body: { ...BATCH, readings: BATCH.readings.slice(1) },
    status: 422,
    after: [isProblem("idempotency-mismatch")],
  },
  {
    name: "A batch without readings is refused, and the field is named",
    operation: "ingestBatch",
    body: { ...BATCH, readings: [] },
    status: 400,
    after: [
      isProblem("invalid-request"),
      expects("names the field", 'body.errors.some(({ pointer }) => pointer === "/readings")'),
    ],
  },
  {
    name: "Follow the job to its end",
    operation: "getJob",
    status: 200,
    after: [
      'const looks = Number(pm.collectionVariables.get("looks") || 0) + 1;',
      keep("looks", "looks"),
      `if (body.is_active && looks < ${LOOKS}) {`,
      "  pm.execution.setNextRequest(pm.info.requestId);",
      `  setTimeout(() => {}, ${PAUSE_MS});`,
      "} else {",
      `  ${keep("looks", "0")}`,
      `  ${expects("completed", 'body.status === "completed"')}`,
      `  ${expects("accounts for every reading", "body.total_readings === 3 && body.inserted_readings === 2 && body.quarantined_readings === 1")}`,
      "}",
    ],
  },
];

const review: readonly Step[] = [
  {
    name: "Find what was refused, and why",
    operation: "listQuarantine",
    query: { job_id: "{{job_id}}" },
    status: 200,
    after: [
      keep("reading_id", "body.items[0].id"),
      expects("one reading", "body.items.length === 1"),
      expects("out of range", 'body.items[0].reason === "out_of_range"'),
      expects("with the value and the limit", "/900 .*700/.test(body.items[0].reason_details)"),
    ],
  },
  {
    name: "Try the decision without effect",
    operation: "decideQuarantined",
    body: { ...FIX, dry_run: true },
    status: 200,
    after: [expects("it would be stored", "body.would.store === 1")],
  },
  {
    name: "Decide: it was psi",
    operation: "decideQuarantined",
    body: FIX,
    status: 200,
    after: [expects("it is stored", 'body.state === "completed" && body.stored === 1')],
  },
  {
    name: "A second decision about it is refused",
    operation: "decideQuarantined",
    body: FIX,
    status: 409,
    after: [
      isProblem("review-conflict"),
      expects("says its state", 'body.readings[0].review_status === "fixed"'),
    ],
  },
  {
    name: "See the three readings in order",
    operation: "getReadings",
    query: RANGE,
    status: 200,
    after: [
      expects("three", "body.items.length === 3"),
      expects(
        "in bar",
        "[125.5, 125.48, 62.05].every((bar, i) => Math.abs(body.items[i].value - bar) < 0.01)",
      ),
    ],
  },
  {
    name: "See the newest value",
    operation: "getLatest",
    status: 200,
    after: [expects("of the sensor", 'body.items[0].sensor_id === pm.collectionVariables.get("sensor_id")')],
  },
  {
    name: "Read the record of the decision",
    operation: "listAudit",
    query: { subject_type: "reading", subject_id: "{{reading_id}}" },
    status: 200,
    after: [expects("who, and what", "body.items.some(({ note }) => /psi/.test(note))")],
  },
];

const leave: readonly Step[] = [
  { name: "Archive the sensor", operation: "archiveSensor", status: 200 },
  { name: "Archive the system", operation: "archiveSystem", status: 200 },
];

export const STORY: readonly Step[] = [...enter, ...send, ...review, ...leave];
