/** Users as administrators see them, by name. Their passwords' hashes stay where they are. */
import type { UserView } from "../../contract/oversight.ts";
import { Conditions } from "./conditions.ts";
import type { QueryOptions, Reader } from "./reader.ts";

export interface UserPage {
  readonly items: readonly UserView[];
  /** Name of the last one; null at the end. */
  readonly next: string | null;
}

export class UserListQueries {
  constructor(private readonly reader: Reader) {}

  /** @param after name of the last one seen. Throws what `Reader.rows` throws. */
  async page(after: string | null, limit: number, options?: QueryOptions): Promise<UserPage> {
    const where = new Conditions([limit + 1]).add(after, (p) => `username > ${p}`);
    const rows = await this.reader.rows<UserView>(
      {
        label: "list of users",
        text: `SELECT id, username, role, active, requests_per_minute, readings_per_minute, created_at
          FROM diagnostics_user ${where.text} ORDER BY username LIMIT $1`,
        values: where.values,
      },
      options,
    );
    const items = rows.slice(0, limit);
    return { items, next: rows.length > limit ? (items.at(-1)?.username ?? null) : null };
  }
}
