/** What stands in for data: loading, nothing there, and what went wrong. */
import type { ComponentChildren } from "preact";
import type { Problem } from "../lib/api.ts";
import type { Resource } from "../lib/resource.ts";

export const Loading = ({ label = "Loading" }: { label?: string }) => (
  <p class="loading" role="status">
    <span class="spinner" aria-hidden="true" />
    {label}…
  </p>
);

interface EmptyProps {
  readonly title: string;
  /** Why there is nothing, or what would make it come. */
  readonly children?: ComponentChildren;
  /** What can be done about it. */
  readonly action?: ComponentChildren;
}

export const Empty = ({ title, children, action }: EmptyProps) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children ? <p class="muted">{children}</p> : null}
    {action}
  </div>
);

/** What to do about an answer that says only what went wrong; null: its own words tell, as of what was typed. */
function adviceOf(status: number): string | null {
  if (status === 403) return "Ask an admin for access, if you need it.";
  if (status === 404) return "It may have been removed, or lie in a system that you may not see.";
  if (status === 429) return "Wait a moment, then try again.";
  if (status >= 500)
    return "Try again in a moment. If it stays like this, give the number of the request to whoever runs the service.";
  return null;
}

/** Problem details as people need them: what, why, what to do, and the id that finds it in the log. */
export const ProblemBox = ({ problem, retry }: { problem: Problem; retry?: () => void }) => (
  <div class="problem" role="alert">
    <p class="problem-title">{problem.title}</p>
    <p>{problem.detail}</p>
    {adviceOf(problem.status) ? <p>{adviceOf(problem.status)}</p> : null}
    {problem.body.errors?.map(({ pointer, detail }) => (
      <p key={pointer} class="mono small">
        {pointer}: {detail}
      </p>
    ))}
    <p class="small problem-foot">
      {problem.request_id ? (
        <span>
          Request <code>{problem.request_id}</code>
        </span>
      ) : null}
      {retry ? (
        <button type="button" class="button small-button" onClick={retry}>
          Try again
        </button>
      ) : null}
    </p>
  </div>
);

interface ShownProps<T> {
  readonly of: Resource<T>;
  readonly children: (data: T) => ComponentChildren;
}

/** Data when there is some; an error beside old data does not hide it. */
export function Shown<T>({ of: { data, error, reload }, children }: ShownProps<T>) {
  return (
    <>
      {error ? <ProblemBox problem={error} retry={reload} /> : null}
      {data === null && !error ? <Loading /> : null}
      {data === null ? null : children(data)}
    </>
  );
}
