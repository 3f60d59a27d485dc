/** The answer of Redis' INFO. */

/** Finds a field by its name; undefined when Redis did not tell it. */
export function fieldsOfInfo(info: string): (name: string) => string | undefined {
  const fields = new Map(
    info.split(/\r?\n/).map((line) => {
      const end = line.indexOf(":");
      return [line.slice(0, Math.max(0, end)), line.slice(end + 1)] as const;
    }),
  );
  return (name) => fields.get(name);
}
