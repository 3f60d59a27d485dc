/** Where a webhook leads is decided by every address that its name has at that moment. */
import { describe, expect, test } from "bun:test";
import { Networks } from "../../../src/notify/networks.ts";
import { TargetError, Targets } from "../../../src/notify/target.ts";

const targets = (addresses: readonly string[], allowed: readonly string[] = []) =>
  new Targets(new Networks(allowed), async () => addresses);
const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(TargetError);
  return (error as Error).message;
};

describe("an address is found", () => {
  test("with all addresses of its name, which the certificate must have", async () => {
    const target = await targets(["93.184.216.34", "2606:2800:220:1::1"]).find("https://hook.example/a?b=c");
    expect(target).toMatchObject({
      addresses: ["93.184.216.34", "2606:2800:220:1::1"],
      servername: "hook.example",
    });
    expect(target.url.href).toBe("https://hook.example/a?b=c");
  });

  test("as it is, when it is one", async () => {
    const none = new Targets(new Networks([]), () => Promise.reject(new Error("not asked")));
    expect(await none.find("https://1.1.1.1/")).toMatchObject({ addresses: ["1.1.1.1"], servername: null });
    expect(await none.find("https://[2606:4700::1111]/")).toMatchObject({ addresses: ["2606:4700::1111"] });
  });

  test("over http in a network that the operator has named", async () => {
    expect(await targets(["10.1.2.3"], ["10.1.0.0/16"]).find("http://hook.plant:8080/")).toMatchObject({
      addresses: ["10.1.2.3"],
    });
  });
});

describe("an address is refused", () => {
  test.each([
    ["hook.example/x", "no absolute URL"],
    ["", "no absolute URL"],
    ["ftp://hook.example/", "begins with ftp:"],
    ["file:///etc/passwd", "begins with file:"],
    ["https://user:pass@hook.example/", "user name or a password"],
    ["https://user@hook.example/", "user name or a password"],
    ["https://hook.example/#x", "fragment"],
    ["http://hook.example/", "http is taken only"],
    ["https://127.0.0.1/", "127.0.0.1, a loopback address"],
    ["https://127.1/", "127.0.0.1, a loopback address"],
    ["https://0x7f000001/", "127.0.0.1, a loopback address"],
    ["https://2130706433/", "127.0.0.1, a loopback address"],
    ["https://0177.0.0.1/", "127.0.0.1, a loopback address"],
    ["https://[::1]/", "::1, a loopback address"],
    ["https://[::ffff:127.0.0.1]/", "a loopback address"],
    ["https://[::ffff:a9fe:a9fe]/", "a link-local address"],
    ["https://169.254.169.254/latest/meta-data/", "a link-local address"],
    ["https://[fd00::1]:8443/", "a private network"],
  ])("%s: %s", async (url, words) => {
    expect(await refusal(targets(["93.184.216.34"]).find(url))).toContain(words);
  });

  test("when one of several addresses of its name is not public", async () => {
    const words = await refusal(targets(["93.184.216.34", "10.0.0.5"]).find("https://hook.example/"));
    expect(words).toBe("hook.example leads to 10.0.0.5, a private network");
  });

  test("over http when one address lies outside of what the operator has named", async () => {
    const both = targets(["10.1.2.3", "93.184.216.34"], ["10.1.0.0/16"]);
    expect(await refusal(both.find("http://hook.plant/"))).toContain("http is taken only");
  });

  test("when its name has no address, or the resolver does not know", async () => {
    expect(await refusal(targets([]).find("https://hook.example/"))).toBe("hook.example has no address");
    const lost = new Targets(new Networks([]), () =>
      Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" })),
    );
    expect(await refusal(lost.find("https://hook.example/"))).toBe("hook.example has no address (ENOTFOUND)");
    const system = new Targets(new Networks([]));
    expect(await refusal(system.find("https://localhost/"))).toContain("a loopback address");
  });
});

test("the name is asked for anew each time: what it means may change", async () => {
  const answers = [["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34"]];
  const changing = new Targets(new Networks([]), async () => answers.shift()!);
  await changing.find("https://hook.example/");
  expect(await refusal(changing.find("https://hook.example/"))).toContain("a loopback address");
  await changing.find("https://hook.example/");
});

test("names that no server answers for keep nothing else of the process waiting", async () => {
  const program = new URL("../../support/hanging-names.ts", import.meta.url).pathname;
  const child = Bun.spawn([process.execPath, program], { stdout: "pipe", stderr: "inherit" });
  expect(JSON.parse(await new Response(child.stdout).text())).toEqual({ asked: true, over: 0 });
  expect(await child.exited).toBe(0);
});
