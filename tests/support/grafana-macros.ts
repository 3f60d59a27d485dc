/**
 * What Grafana's PostgreSQL data source makes of a statement before it sends it, with `timescaledb: true`: only
 * the macros and variables that docs/integrate.md uses. https://grafana.com/docs/grafana/latest/datasources/postgres/
 */

export interface PanelContext {
  readonly from: Date;
  readonly to: Date;
  /** Seconds. */
  readonly interval_s: number;
  readonly system: string;
  readonly sensors: readonly string[];
}

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** @throws {Error} when something is left that only Grafana understands */
export function asGrafanaSends(sql: string, context: PanelContext): string {
  const seconds = (text: string) => {
    const [, count, unit] = /^'(\d+)([smh])'$/.exec(text) ?? [];
    if (count === undefined || unit === undefined) throw new Error(`${text} is no interval`);
    return (Number(count) * UNIT_S[unit]!).toFixed(3);
  };
  const sent = sql
    .replace(/\$\{sensor:sqlstring\}/g, context.sensors.map((id) => `'${id}'`).join(","))
    .replaceAll("$system", context.system)
    .replaceAll("$__interval", `${context.interval_s}s`)
    .replace(
      /\$__timeGroupAlias\(([^,)]+), ([^)]+)\)/g,
      (_, column, interval) => `time_bucket('${seconds(interval)}s',${column}) AS "time"`,
    )
    .replace(
      /\$__timeFilter\(([^)]+)\)/g,
      (_, column) => `${column} BETWEEN '${context.from.toISOString()}' AND '${context.to.toISOString()}'`,
    );
  if (sent.includes("$")) throw new Error(`this is not what Grafana would send: ${sent}`);
  return sent;
}
