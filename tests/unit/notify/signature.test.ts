/** Signatures are those of Standard Webhooks: its own library takes them, and nothing that was changed. */
import { describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { newSecret, signedHeaders } from "../../../src/notify/signature.ts";

const MESSAGE = {
  id: "msg_0199a1b2",
  timestamp_s: Math.floor(Date.now() / 1000),
  body: '{"type":"job.completed"}',
};

describe("a signature", () => {
  test("is that of the standard's own example", () => {
    const headers = signedHeaders(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestamp_s: 1_614_265_330,
      body: '{"test": 2432232314}',
    });
    expect(headers).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  test("is taken by the standard's library, by each of two secrets", () => {
    const [now, before, other] = [newSecret(), newSecret(), newSecret()];
    const headers = signedHeaders([now, before], MESSAGE);
    expect(headers["webhook-signature"]!.split(" ")).toHaveLength(2);
    for (const secret of [now, before]) {
      expect(new Webhook(secret).verify(MESSAGE.body, headers)).toEqual({ type: "job.completed" });
    }
    expect(() => new Webhook(other).verify(MESSAGE.body, headers)).toThrow();
  });

  test.each([
    ["the body", { ...MESSAGE, body: '{"type":"job.failed"}' }],
    ["the id", { ...MESSAGE, id: "msg_other" }],
    ["the time", { ...MESSAGE, timestamp_s: MESSAGE.timestamp_s + 1 }],
  ])("does not hold for another: %s", (_, changed) => {
    const secret = newSecret();
    const signature = signedHeaders([secret], MESSAGE)["webhook-signature"]!;
    const headers = { ...signedHeaders([secret], changed), "webhook-signature": signature };
    expect(() => new Webhook(secret).verify(changed.body, headers)).toThrow();
  });

  test("an old message is refused by its time", () => {
    const secret = newSecret();
    const old = { ...MESSAGE, timestamp_s: MESSAGE.timestamp_s - 600 };
    expect(() => new Webhook(secret).verify(old.body, signedHeaders([secret], old))).toThrow(/old/);
  });
});

test("secrets are 32 random bytes", () => {
  const secrets = Array.from({ length: 100 }, newSecret);
  expect(new Set(secrets).size).toBe(100);
  for (const secret of secrets) {
    expect(secret).toStartWith("whsec_");
    expect(Buffer.from(secret.slice(6), "base64")).toHaveLength(32);
  }
});
