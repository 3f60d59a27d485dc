/** Asserts that an answer is a problem (RFC 9457) as this service makes them. */
import { expect } from "bun:test";
import { PROBLEMS, type ProblemDetails, type ProblemName } from "../../src/contract/problem.ts";

/** Check status, media type, body and the headers that every answer has. */
export async function expectProblem(response: Response, name: ProblemName): Promise<ProblemDetails> {
  const body = (await response.json()) as ProblemDetails;
  expect({ type: body.type, status: response.status }).toEqual({
    type: `/problems/${name}`,
    status: PROBLEMS[name].status,
  });
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  expect(body.title).toBe(PROBLEMS[name].title);
  expect(body.status).toBe(response.status);
  expect(body.detail.length).toBeGreaterThan(0);
  expect(body.instance).toBe(new URL(response.url || "http://x/").pathname);
  expect(response.headers.get("X-Request-Id")).toMatch(/^\S{1,128}$/);
  expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
  return body;
}
