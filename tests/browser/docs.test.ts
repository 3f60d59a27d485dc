/** A newcomer on /docs logs in and sends the example, with nothing but clicks. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { BATCH_EXAMPLE, LOGIN_EXAMPLE } from "../../src/api/openapi/examples.ts";
import { ApiBench, type TestApi } from "../support/api.ts";
import { inChromium, PATIENCE_MS } from "../support/console-browser.ts";

/** Opens an operation, presses Execute, and gives the status and body that the page shows. */
async function execute(page: Page, operation: string): Promise<{ status: string; body: string }> {
  const block = page.locator(`#operations-${operation}`);
  await block.locator(".opblock-summary-control").click();
  await block.locator(".execute").click();
  const answer = block.locator(".live-responses-table .response");
  return {
    status: (await answer.locator(".response-col_status").textContent()) ?? "",
    body: (await answer.locator(".highlight-code").first().textContent()) ?? "",
  };
}

inChromium("/docs in a browser", (browser) => {
  let bench: ApiBench;
  let api: TestApi;
  beforeAll(async () => {
    bench = await ApiBench.create();
    api = await bench.start();
    await api.createUser("admin", LOGIN_EXAMPLE);
  });
  afterAll(async () => {
    await bench?.close();
  });

  test("the login example authorizes the batch example, which is accepted; nothing comes from elsewhere", async () => {
    const page = await browser().newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const complaints: string[] = [];
    const hosts = new Set<string>();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (request.url().startsWith("http")) hosts.add(new URL(request.url()).origin);
    });
    await page.goto(`${api.server.url}/docs`);
    const login = await execute(page, "Access-login");
    expect(login.status).toStartWith("200");
    expect(login.body).toContain("access_token");
    const before = await bench.streamLength();
    const ingest = await execute(page, "Ingest-ingestBatch");
    expect(ingest.status).toStartWith("202");
    expect(ingest.body).toContain("queued");
    expect(await bench.streamLength()).toBe(before + 1);
    const job_id = /"job_id": "([^"]+)"/.exec(ingest.body)?.[1] ?? "";
    const { token } = await api.tokenFor("admin");
    expect(await (await api.job(token, job_id)).json()).toMatchObject({ system_id: BATCH_EXAMPLE.system_id });
    expect([...hosts]).toEqual([api.server.url]);
    expect(complaints).toEqual([]);
  });
});
