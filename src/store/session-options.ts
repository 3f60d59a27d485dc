/**
 * Settings of every session of a URL (PostgreSQL documentation, "The options Parameter", libpq). Both drivers pass
 * the parameter on, so that one URL makes all connections of a program read-only, or look into another schema.
 */

/**
 * @param settings names of run-time parameters and their values; neither may hold white space
 * @returns the URL with the settings added to those that it has
 */
export function withSessionSettings(url: string, settings: Readonly<Record<string, string>>): string {
  const changed = new URL(url);
  const given = changed.searchParams.get("options");
  const added = Object.entries(settings).map(([name, value]) => {
    if (/[\s\\]/.test(`${name}${value}`))
      throw new TypeError(`a session setting holds white space: ${name}=${value}`);
    return `-c ${name}=${value}`;
  });
  changed.searchParams.set("options", [...(given ? [given] : []), ...added].join(" "));
  // libpq reads + as itself.
  changed.search = changed.search.replaceAll("+", "%20");
  return changed.href;
}
