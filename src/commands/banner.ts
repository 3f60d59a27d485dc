/** What a newcomer sees when the service is ready. */
import type { Config } from "../config/variables.ts";
import { DEMO_SYSTEM_ID, DEMO_USER } from "../contract/demo.ts";

/** Addresses and, in development, credentials and a curl line that can be pasted as it is. */
export function banner(config: Config, url: string): string {
  const lines = [
    "",
    `  Hydraulic Ingest   ${url}`,
    `  Console            ${url}/console`,
    `  API and examples   ${url}/docs`,
    `  Health             ${url}/health`,
    `  Metrics            ${url}/metrics`,
  ];
  if (config.APP_ENV !== "development") return `${lines.join("\n")}\n\n`;
  const login = `curl -s -X POST ${url}/api/v1/auth/login -H 'Content-Type: application/json' -d '${JSON.stringify(DEMO_USER)}'`;
  const reading = (value: number, sensor: string) =>
    `{"sensor_id":"${sensor}","timestamp":"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'","value":${value},"unit":"bar"}`;
  const batch = `{"system_id":"${DEMO_SYSTEM_ID}","readings":[${reading(125.5, "550e8400-e29b-41d4-a716-446655440001")},${reading(900, "550e8400-e29b-41d4-a716-446655440002")}]}`;
  return [
    ...lines,
    `  User               ${DEMO_USER.username} / ${DEMO_USER.password} (development only)`,
    "",
    "  Send two readings, one good and one beyond 700 bar, and see what became of them:",
    "",
    `  TOKEN=$(${login} | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `  JOB=$(curl -s -X POST ${url}/api/v1/data/ingest -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '${batch}' | sed 's/.*"job_id":"\\([^"]*\\)".*/\\1/')`,
    `  sleep 1; curl -s ${url}/api/v1/jobs/$JOB/ -H "Authorization: Bearer $TOKEN"; echo`,
    `  curl -s ${url}/api/v1/jobs/$JOB/quarantine -H "Authorization: Bearer $TOKEN"; echo`,
    "",
    `  A whole rig:       npm run hydraulic -- simulate --url ${url} --rate 2000 --duration 20`,
    `  Ctrl-C stops everything that was started; the data stays in ${config.DATA_DIR}`,
    "",
    "",
  ].join("\n");
}
