/** The lines that a development start prints hold for the port and the folder that it runs with. */
import { expect, test } from "bun:test";
import { banner } from "../../src/commands/banner.ts";
import { loadConfig } from "../../src/config.ts";

test("a start on another port, with another folder, names these and not the defaults", () => {
  const config = loadConfig({ PORT: "8911", DATA_DIR: "/srv/hydraulic" });
  const text = banner(config, "http://127.0.0.1:8911");
  expect(text).toContain("simulate --url http://127.0.0.1:8911 ");
  expect(text).toContain("the data stays in /srv/hydraulic\n");
  expect(text).not.toContain(":8000");
});
