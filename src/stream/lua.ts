/** What the Lua scripts share. */
import { JOB_CHANNEL } from "./keys.ts";

/** A script that also runs while Redis is at `maxmemory`; the shebang must be its first line. */
export const evenWhenFull = (body: string) => `#!lua flags=allow-oom\n${body}`;

/**
 * Tells whoever follows jobs which of them have changed. Only a hint, so a user of Redis who may not publish
 * (Redis documentation, "ACL": channels are closed by default) is no reason to fail.
 */
export const TELL = `
local function tell(jobs)
  if #jobs > 0 then redis.pcall('PUBLISH', '${JOB_CHANNEL}', table.concat(jobs, ' ')) end
end`;
