/** Users as administrators see them, by name. Their passwords' hashes stay where they are. */
import type { UserView } from "../../contract/access.ts";
import type { Reach } from "../../contract/reach.ts";
import { Conditions } from "./conditions.ts";
import type { QueryOptions, Reader } from "./reader.ts";

export interface UserPage {
  readonly items: readonly UserView[];
  /** Name of the last one; null at the end. */
  readonly next: string | null;
}

type UserRow = Omit<UserView, "systems"> & { readonly systems: string | null };

export class UserListQueries {
  constructor(private readonly reader: Reader) {}

  /**
   * Throws what `Reader.rows` throws.
   * @param after name of the last one seen
   * @param reach only users who are limited to some of these systems
   */
  async page(after: string | null, limit: number, reach: Reach, options?: QueryOptions): Promise<UserPage> {
    const where = new Conditions([limit + 1])
      .add(after, (p) => `username > ${p}`)
      .add(reach, (p) => `systems <@ ${p}::uuid[]`);
    const rows = await this.reader.rows<UserRow>(
      {
        label: "list of users",
        text: `SELECT id, username, role, active, to_json(systems)::text AS systems, requests_per_minute,
            readings_per_minute, issuer, created_at
          FROM diagnostics_user ${where.text} ORDER BY username LIMIT $1`,
        values: where.values,
      },
      options,
    );
    const items = rows.slice(0, limit).map(toView);
    return { items, next: rows.length > limit ? (items.at(-1)?.username ?? null) : null };
  }
}

const toView = ({ systems, ...user }: UserRow): UserView => ({
  ...user,
  systems: systems === null ? null : (JSON.parse(systems) as string[]),
});
