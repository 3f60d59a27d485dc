/** Problems as a route that speaks InfluxDB's language answers them. */
import type { ResponsesWithResolver } from "hono-openapi";
import { InfluxErrorSchema, influxError } from "../../contract/influx.ts";
import { PROBLEMS, type ProblemName, problemType } from "../../contract/problem.ts";
import { schemaOf } from "./components.ts";
import { type HeaderName, problems } from "./responses.ts";

/** As `problems` describes them, with another body. */
export function influxProblems(
  instance: string,
  names: readonly ProblemName[],
  headers: readonly HeaderName[],
): ResponsesWithResolver {
  const described = Object.entries(problems(instance, names, headers)).map(([status, response]) => {
    const examples = [...new Set<ProblemName>([...names, "internal-error"])]
      .filter((name) => String(PROBLEMS[name].status) === status)
      .map((name) => {
        const { title, about, status: code } = PROBLEMS[name];
        const problem = { type: problemType(name), title, status: code, detail: about, instance };
        return [name, { value: influxError(problem, undefined) }];
      });
    const content = {
      "application/json": { schema: schemaOf(InfluxErrorSchema), examples: Object.fromEntries(examples) },
    };
    return [status, { ...response, content }];
  });
  return Object.fromEntries(described);
}
