/** Webhooks in the console of a running service: made, tried out, followed, given a new secret, turned off, deleted. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { faultsOf } from "../support/console-browser.ts";
import { sensorId, serviceSuite } from "../support/console-service.ts";
import { ok, type Receiver, startReceiver, status } from "../support/receiver.ts";
import { until } from "../support/until.ts";

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

const EVENTS = { jobs: ["job.completed", "job.failed"], alerts: ["alert.raised", "alert.resolved"] };
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
/** Of the newest delivery with this event. */
const row = (page: Page, event: string) => page.locator("tbody tr", { hasText: event }).first();

/** Fill in the dialog and read the secret that it shows once. */
async function make(page: Page, url: string, description: string): Promise<string> {
  await button(page, "New webhook").click();
  const dialog = page.getByRole("dialog", { name: "New webhook" });
  await dialog.getByLabel("Address").fill(url);
  await dialog.getByLabel("Description").fill(description);
  await button(page, "Make the webhook").click();
  return readSecret(page, "The webhook is made");
}

async function readSecret(page: Page, name: string): Promise<string> {
  const shown = page.getByRole("dialog", { name });
  const secret = (await shown.locator("code").textContent()) ?? "";
  await shown.getByRole("button", { name: "Done" }).click();
  return secret;
}

serviceSuite("webhooks in the console", ({ service, enter }) => {
  test("are made with a secret that signs what comes: a test, and the end of a job", async () => {
    const { page, complaints, close } = await enter("/webhooks");
    await page.getByText("No webhooks").waitFor();
    const secret = await make(page, `${receiver.url}/hook`, "Shift report");
    await page.getByRole("link", { name: "Shift report" }).click();
    await page.getByText("No deliveries").waitFor();
    await button(page, "Send a test").click();
    await row(page, "webhook.test").getByText("delivered").waitFor();
    await service().send(sensorId(1), 5, 0);
    await until("it is told", () => receiver.received.length === 2);
    await page.reload();
    await row(page, "job.completed").getByText("delivered").waitFor();
    for (const { body, headers } of receiver.received) new Webhook(secret).verify(body, { ...headers });
    const types = receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);
    expect(types).toEqual(["webhook.test", "job.completed"]);
    await row(page, "job.completed").getByRole("link").click();
    await page.getByRole("heading", { name: "Attempts" }).waitFor();
    await page.locator(".source", { hasText: '"success_rate": 100' }).waitFor();
    await button(page, "Deliver once more").click();
    await until("it comes again", () => receiver.received.length === 3);
    const [, first, again] = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(again).toBe(first!);
    expect(complaints).toEqual([]);
    await close();
  });

  test("show what a receiver refuses, take a new secret, and can be turned off and deleted", async () => {
    receiver.behave(status(503, {}, "Back at noon"));
    const { page, complaints, close } = await enter("/webhooks");
    const before = await make(page, `${receiver.url}/noon`, "Noon");
    await page.getByRole("link", { name: "Noon" }).click();
    await button(page, "Send a test").click();
    await row(page, "webhook.test").getByText("failed").waitFor();
    await row(page, "webhook.test").getByText("it answered 503").waitFor();
    await row(page, "webhook.test").getByRole("link").click();
    await page.getByText("Back at noon").waitFor();
    await page.goBack();

    await button(page, "New secret").click();
    await button(page, "Replace it").click();
    const after = await readSecret(page, "The new secret");
    await page.getByText("The secret before signs until").waitFor();
    receiver.behave(ok);
    const count = receiver.received.length;
    await button(page, "Send a test").click();
    await until("it comes", () => receiver.received.length > count);
    const { body, headers } = receiver.received.at(-1)!;
    for (const secret of [before, after]) new Webhook(secret).verify(body, { ...headers });

    await button(page, "Disable").click();
    await page.getByText("by request").waitFor();
    await button(page, "Enable").click();
    await row(page, "webhook.gap").getByText("delivered").waitFor();

    await button(page, "Delete").click();
    await page
      .getByRole("dialog", { name: "Delete this webhook" })
      .getByRole("button", { name: "Delete" })
      .click();
    await page.getByRole("heading", { level: 1, name: "Webhooks" }).waitFor();
    await page.getByText("1 shown, no more").waitFor();
    expect(await page.getByRole("link", { name: "Noon" }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  test("say why an address is refused, and tell of alerts only with everybody's batches", async () => {
    const { page, complaints, close } = await enter("/webhooks");
    await button(page, "New webhook").click();
    const dialog = page.getByRole("dialog", { name: "New webhook" });
    for (const event of EVENTS.jobs) expect(await dialog.getByLabel(event).isChecked()).toBe(true);
    expect(await dialog.getByLabel(EVENTS.alerts[0]!).count()).toBe(0);
    await dialog.getByLabel("Everybody's batches, and alerts").check();
    await dialog.getByLabel("alert.raised").check();
    await dialog.getByLabel("Address").fill("https://10.0.0.1/hook");
    await button(page, "Make the webhook").click();
    await dialog.getByText("10.0.0.1, a private network").first().waitFor();
    expect(await faultsOf(page, "new-webhook")).toEqual([]);
    await dialog.getByLabel("Address").fill(`${receiver.url}/all`);
    await button(page, "Make the webhook").click();
    await page.getByRole("dialog", { name: "The webhook is made" }).waitFor();
    expect(await faultsOf(page, "webhook-secret")).toEqual([]);
    await readSecret(page, "The webhook is made");
    await page.getByText("job.completed, job.failed, alert.raised").waitFor();
    await page.getByText("everybody's batches").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("are the producer's own, and no reviewer's", async () => {
    await service().createUser("rig-9", "producer");
    await service().createUser("judge", "reviewer");
    const producer = await enter("/webhooks", "rig-9");
    await producer.page.getByText("No webhooks").waitFor();
    await button(producer.page, "New webhook").click();
    const dialog = producer.page.getByRole("dialog", { name: "New webhook" });
    await dialog.getByLabel("job.failed").waitFor();
    expect(await dialog.getByLabel("Everybody's batches, and alerts").count()).toBe(0);
    await producer.close();
    const reviewer = await enter("/webhooks", "judge");
    await reviewer.page.getByText("This page is for admins, engineers and producers").waitFor();
    expect(await reviewer.page.getByRole("link", { name: "Webhooks" }).count()).toBe(0);
    await reviewer.close();
  });
});
