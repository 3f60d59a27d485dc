/** After a change of accounts or keys. */
import { StoreUnavailableError } from "../../store/errors.ts";
import type { AccessRegister } from "./access-register.ts";

/** Let the change count here at once. It is made already: when Postgres has gone since, the next look finds it. */
export async function recount(register: AccessRegister): Promise<void> {
  await register.refresh().catch((error: unknown) => {
    if (!(error instanceof StoreUnavailableError)) throw error;
  });
}
