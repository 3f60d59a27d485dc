/** Accounts and API keys in the console of a running service: made, limited, changed, replaced, and ended. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { KeyView, UserView } from "../../src/contract/access.ts";
import type { AuditEntry } from "../../src/contract/oversight.ts";
import type { Session } from "../../src/contract/session.ts";
import { asksToSignIn, faultsOf, settled, signIn } from "../support/console-browser.ts";
import { PASSWORD, SYSTEM, serviceSuite } from "../support/console-service.ts";
import { until } from "../support/until.ts";

const NEW_PASSWORD = "a-longer-password-2";
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const row = (page: Page, name: string) => page.locator("tbody tr", { hasText: name });

serviceSuite("accounts and keys in the console", ({ service, enter, visit }) => {
  const session = (secret: string) =>
    fetch(`${service().url}/api/v1/auth/session`, { headers: { Authorization: `Bearer ${secret}` } });
  const userOf = async (username: string) => {
    const { items } = await service().api<{ items: UserView[] }>("/api/v1/users?limit=500");
    return items.find((user) => user.username === username);
  };

  /** The secret that a dialog shows once. */
  async function readSecret(page: Page, title: string): Promise<string> {
    const shown = page.getByRole("dialog", { name: title });
    const secret = (await shown.locator("code").textContent()) ?? "";
    await button(page, "Done").click();
    return secret;
  }

  test("an admin makes a user for one system, changes limits and role, and turns the account off, all on record", async () => {
    await service().api("/api/v1/systems", { method: "POST", body: { name: "Other press" } });
    const { page, complaints, close } = await enter("/users");
    await button(page, "New user").click();
    const making = page.getByRole("dialog", { name: "New user" });
    await making.getByLabel("User name").fill("rig-12");
    await making.getByLabel("Password").fill("short");
    await making.getByLabel("Only some").check();
    expect(await button(page, "Make the user").isDisabled()).toBe(true);
    await making.getByLabel("Demo press").check();
    await button(page, "Make the user").click();
    await making.locator(".problem").getByText("password").first().waitFor();
    expect(await faultsOf(page, "new-user")).toEqual([]);
    await making.getByLabel("Password").fill(PASSWORD);
    await button(page, "Make the user").click();
    await page.getByText("rig-12 can sign in now.").waitFor();
    const user = await userOf("rig-12");
    expect(user).toMatchObject({ role: "producer", systems: [SYSTEM], active: true });

    const producer = await enter("/systems", "rig-12");
    await producer.page.getByRole("link", { name: "Demo press" }).waitFor();
    expect(await producer.page.getByRole("link", { name: "Other press" }).count()).toBe(0);

    await button(page, "Change rig-12").click();
    const changing = page.getByRole("dialog", { name: "Change rig-12" });
    await changing.getByLabel("Role").selectOption("engineer");
    await changing.getByLabel("Requests a minute").fill("many");
    await button(page, "Change").click();
    await changing.getByText("Requests a minute must be a whole number").waitFor();
    expect(await faultsOf(page, "change-user")).toEqual([]);
    await changing.getByLabel("Requests a minute").fill("120");
    await changing.getByLabel("Note").fill("runs the rig now");
    await button(page, "Change").click();
    await row(page, "rig-12").getByText("engineer").waitFor();
    await row(page, "rig-12").getByText("120/min").waitFor();
    await until("the session before is over", () => asksToSignIn(producer.page));
    await producer.close();

    await button(page, "Change rig-12").click();
    await changing.getByLabel("Active").uncheck();
    await button(page, "Change").click();
    await row(page, "rig-12").getByText("disabled").waitFor();
    await row(page, "rig-12").getByRole("link", { name: "Audit entries" }).waitFor();
    const { items } = await service().api<{ items: AuditEntry[] }>(
      `/api/v1/audit?subject_type=user&subject_id=${user?.id}`,
    );
    const [off, role, made] = items;
    expect(items).toHaveLength(3);
    expect(made).toMatchObject({ action: "user.create", actor_name: "admin" });
    expect(role).toMatchObject({ action: "user.change", note: "runs the rig now" });
    expect(off).toMatchObject({ action: "user.change", actor_name: "admin" });
    expect(complaints).toEqual([]);
    await close();
  });

  test("a key is shown once, works at once, can be replaced, and is refused everywhere once it is revoked", async () => {
    await service().createUser("rig-20", "producer");
    const { page, complaints, close } = await enter("/keys", "rig-20");
    await page.getByText("No keys").waitFor();
    await button(page, "New key").click();
    const making = page.getByRole("dialog", { name: "New API key" });
    await making.getByLabel("Name").fill("Gateway");
    expect(await making.getByLabel("Send batches").isChecked()).toBe(true);
    await making.getByLabel("Only some").check();
    await making.getByLabel("Demo press").check();
    // Limits and owners are for admins
    await settled(page);
    expect(await making.getByLabel("Owner", { exact: true }).count()).toBe(0);
    expect(await making.getByLabel("Requests a minute").count()).toBe(0);
    expect(await faultsOf(page, "new-key")).toEqual([]);
    await button(page, "Make the key").click();
    await page.getByRole("dialog", { name: "The key is made" }).waitFor();
    expect(await faultsOf(page, "key-secret")).toEqual([]);
    const first = await readSecret(page, "The key is made");
    const about = (await (await session(first)).json()) as Session;
    expect(about).toMatchObject({
      user: { username: "rig-20", role: "producer", systems: [SYSTEM] },
      key: { name: "Gateway", scopes: ["ingest"] },
    });
    await row(page, "Gateway")
      .getByText(about.key?.prefix ?? "no prefix")
      .waitFor();
    expect(await page.content()).not.toContain(first);

    await button(page, "Replace Gateway").click();
    await button(page, "Replace it").click();
    const second = await readSecret(page, "The new key");
    expect(second).not.toBe(first);
    for (const secret of [first, second]) expect((await session(secret)).status).toBe(200);

    await page.getByText("2 shown, no more").waitFor();
    for (const left of ["1 shown, no more", "No keys"]) {
      await button(page, "Revoke Gateway").first().click();
      await page
        .getByRole("dialog", { name: "Revoke Gateway" })
        .getByRole("button", { name: "Revoke" })
        .click();
      await page.getByText(left).waitFor();
    }
    for (const secret of [first, second]) {
      await until("it is refused", async () => (await session(secret)).status === 401);
    }
    await page.getByLabel("State").selectOption("over");
    await row(page, "Gateway").getByText("revoked").first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("an admin sees everybody's keys and makes one for somebody else, with limits, which are changed later; others see and rename their own only", async () => {
    await service().createUser("rig-30", "producer");
    const { page, complaints, close } = await enter("/keys");
    await button(page, "New key").click();
    const making = page.getByRole("dialog", { name: "New API key" });
    await making.getByLabel("Name").fill("Gateway of rig 30");
    await making.getByLabel("Owner", { exact: true }).selectOption("rig-30");
    await making.getByLabel("Readings a minute").fill("60000");
    expect(await faultsOf(page, "new-key-admin")).toEqual([]);
    await button(page, "Make the key").click();
    const secret = await readSecret(page, "The key is made");
    await row(page, "Gateway of rig 30").getByText("rig-30", { exact: true }).waitFor();
    const { user } = (await (await session(secret)).json()) as Session;
    expect(user.username).toBe("rig-30");

    await button(page, "Change Gateway of rig 30").click();
    const changing = page.getByRole("dialog", { name: "Change Gateway of rig 30" });
    expect(await changing.getByLabel("Readings a minute").inputValue()).toBe("60000");
    await changing.getByText("never").waitFor();
    expect(await faultsOf(page, "change-key")).toEqual([]);
    await changing.getByLabel("Name").fill("Gateway of rig 30, hall 2");
    await changing.getByLabel("Requests a minute").fill("0.5");
    await button(page, "Change").click();
    await changing.getByText("Requests a minute must be a whole number").waitFor();
    await changing.getByLabel("Requests a minute").fill("90");
    await changing.getByLabel("Readings a minute").fill("");
    await changing.getByLabel("Note").fill("moved");
    await button(page, "Change").click();
    await row(page, "Gateway of rig 30, hall 2").waitFor();
    const { items } = await service().api<{ items: KeyView[] }>(`/api/v1/keys?user_id=${user.id}`);
    expect(items).toMatchObject([
      { name: "Gateway of rig 30, hall 2", requests_per_minute: 90, readings_per_minute: null },
    ]);
    const record = await service().api<{ items: AuditEntry[] }>(
      `/api/v1/audit?subject_type=key&subject_id=${items[0]?.id}`,
    );
    expect(record.items[0]).toMatchObject({ action: "key.change", actor_name: "admin", note: "moved" });
    expect(complaints).toEqual([]);
    await close();

    await service().createUser("rig-31", "producer");
    const other = await enter("/keys", "rig-31");
    await other.page.getByText("No keys").waitFor();
    await other.close();
    const owner = await enter("/keys", "rig-30");
    await row(owner.page, "Gateway of rig 30").waitFor();
    // The name is the owner's, the limits are not
    await button(owner.page, "Change Gateway of rig 30, hall 2").click();
    const renaming = owner.page.getByRole("dialog");
    await renaming.getByLabel("Name").waitFor();
    await settled(owner.page);
    expect(await renaming.getByLabel("Requests a minute").count()).toBe(0);
    await renaming.getByLabel("Name").fill("Mine");
    await owner.page.keyboard.press("Enter");
    await row(owner.page, "Mine").waitFor();
    await owner.close();
  });

  test("the own password is changed on the page of the account; that, and an admin's, end what is signed in", async () => {
    await service().createUser("rig-40", "producer");
    const { page, complaints, close } = await enter("/systems", "rig-40");
    const elsewhere = await enter("/jobs", "rig-40");
    await page.getByRole("link", { name: "rig-40" }).click();
    await page.getByRole("heading", { level: 1, name: "Account" }).waitFor();
    await page.getByLabel("Current password").fill("wrong-password");
    await page.getByLabel("New password").fill(NEW_PASSWORD);
    await button(page, "Change the password").click();
    await page.locator(".problem").waitFor();
    expect(await faultsOf(page, "account-refused")).toEqual([]);
    await page.getByLabel("Current password").fill(PASSWORD);
    await button(page, "Change the password").click();
    await page.getByLabel("User name").waitFor();
    await until("the other session is over", () => asksToSignIn(elsewhere.page));
    await elsewhere.close();
    const arrive = { path: "/account", username: "rig-40", password: NEW_PASSWORD };
    await signIn(page, service().url, arrive);

    const admin = await enter("/users");
    await button(admin.page, "Password of rig-40").click();
    await admin.page.getByRole("dialog").getByLabel("New password").fill(PASSWORD);
    expect(await faultsOf(admin.page, "user-password")).toEqual([]);
    await button(admin.page, "Set the password").click();
    await admin.page.getByText("rig-40 has a new password.").waitFor();
    await admin.close();
    await until("the session is over", () => asksToSignIn(page));
    expect(complaints).toEqual([]);
    await close();
  });

  test("signing out everywhere ends the sessions of other browsers too", async () => {
    await service().createUser("rig-50", "producer");
    const elsewhere = await visit();
    await signIn(elsewhere.page, service().url, { path: "/jobs", username: "rig-50" });
    const { page, complaints, close } = await enter("/account", "rig-50");
    await button(page, "Sign out everywhere").click();
    await page.getByLabel("User name").waitFor();
    await until("the other is over too", () => asksToSignIn(elsewhere.page));
    expect(complaints).toEqual([]);
    await elsewhere.close();
    await close();
  });
});
