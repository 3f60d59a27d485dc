/** Fields that many answers have: ids, times, counts, and pages of a list. */
import { type TSchema, Type } from "@sinclair/typebox";

const about = (description: string | undefined) => (description === undefined ? {} : { description });

/** A UUID. */
export const uuid = (description?: string) => Type.String({ format: "uuid", ...about(description) });
/** An RFC 3339 date-time. */
export const time = (description?: string) => Type.String({ format: "date-time", ...about(description) });
/** How many there are of something. */
export const count = (description: string) => Type.Integer({ minimum: 0, description });

/** The schema, or null, whose meaning the description tells. */
export const orNull = <T extends TSchema>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], about(description));

/** A page of a list; `next` goes into `after`. */
export const pageOf = <T extends TSchema>(item: T, $id: string, cursor: TSchema = Type.String()) =>
  Type.Object(
    {
      items: Type.Array(item),
      next: orNull(cursor, "Pass as `after` for the next page; null at the end"),
    },
    { $id },
  );
