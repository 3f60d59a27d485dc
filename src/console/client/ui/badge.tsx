/** States as words with a colour; the word alone says it. */
import { words } from "../lib/format.ts";

export type Tone = "plain" | "good" | "warn" | "bad" | "info";

export const Badge = ({ tone = "plain", children }: { tone?: Tone; children: string }) => (
  <span class={`badge badge-${tone}`}>{children}</span>
);

const TONES: Readonly<Record<string, Tone>> = {
  completed: "good",
  delivered: "good",
  running: "good",
  approved: "good",
  fixed: "good",
  store: "good",
  identical: "info",
  replace: "warn",
  withdraw: "warn",
  restore: "warn",
  processing: "info",
  starting: "info",
  queued: "plain",
  pending: "warn",
  draining: "warn",
  waiting: "warn",
  failed: "bad",
  fails: "bad",
  stopped: "bad",
  rejected: "plain",
};

/** Any state of a job, task, worker, reading or dry run. */
export const StateBadge = ({ state }: { state: string }) => (
  <Badge tone={TONES[state] ?? "plain"}>{words(state)}</Badge>
);

export const Reason = ({ name }: { name: string }) => <span class="reason">{words(name)}</span>;
