/** Every page of the console: its name, its path below /console, and its heading. */
import { IDS } from "./console-fixtures.ts";

export const PAGES: readonly (readonly [name: string, path: string, heading: string])[] = [
  ["overview", "", "Overview"],
  ["jobs", "/jobs", "Jobs"],
  ["job", `/jobs/${IDS.job}`, `Job …${IDS.job.slice(-8)}`],
  ["job-failed", `/jobs/${IDS.failedJob}`, `Job …${IDS.failedJob.slice(-8)}`],
  ["incidents", "/quarantine", "Quarantine"],
  ["readings", `/quarantine/readings?incident=i-1&job_id=${IDS.job}`, "Quarantine"],
  ["reading", `/quarantine/readings/${IDS.reading}?incident=i-1&of=3412`, `Reading #${IDS.reading}`],
  ["tasks", "/quarantine/tasks", "Quarantine"],
  ["task", `/quarantine/tasks/${IDS.task}`, "Task"],
  ["systems", "/systems", "Systems"],
  ["system", `/systems/${IDS.system}`, "Press 2"],
  ["sensor", `/systems/${IDS.system}/sensors/${IDS.sensor}`, "Main pump pressure"],
  ["dead-letters", "/dead-letters", "Dead letters"],
  ["dead-letter", `/dead-letters/${IDS.letter}`, `Dead letter ${IDS.letter}`],
  ["alerts", "/alerts", "Alerts"],
  ["workers", "/workers", "Workers"],
  ["webhooks", "/webhooks", "Webhooks"],
  ["webhook", `/webhooks/${IDS.webhook}`, "Line 3, shift report"],
  ["delivery", `/webhooks/${IDS.webhook}/deliveries/4711`, "Delivery #4711"],
  ["keys", "/keys", "API keys"],
  ["account", "/account", "Account"],
  ["users", "/users", "Users"],
  ["audit", "/audit", "Audit"],
  ["unknown", "/no-such-page", "Nothing here"],
];
