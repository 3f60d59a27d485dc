/** Variables of a read replica. */
import { text, whole } from "./kinds.ts";

const none: string | undefined = undefined;

export const REPLICA_VARIABLES = {
  DATABASE_READ_URL: text(
    none,
    "A streaming replica (hot standby) of DATABASE_URL that answers questions about stored readings. Empty: there is none",
    "a postgres:// or postgresql:// URL",
    /^postgres(ql)?:\/\/\S+$/,
  ),
  DATABASE_READ_MAX_LAG_MS: whole(
    5_000,
    "Further behind than this, the replica is not asked but the primary, ms",
    1_000,
    3_600_000,
  ),
};
