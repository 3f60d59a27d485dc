/**
 * A producer as a program of its own, on Node.js or Bun: writes readings one after the other into a spool and
 * prints the number of each that the client has taken. Plain JavaScript, so that both run it as it is.
 *
 * Arguments: the client's module, then JSON: {url, folder, fsync, first, count, batch, after}; `after` says what
 * comes then: `close`, `stay` (until it is killed), or `exit` without a word to the client.
 */
const [, , module, text] = process.argv;
const { HydraulicClient } = await import(module);
const { url, folder, fsync, first, count, batch, after } = JSON.parse(text);

const client = new HydraulicClient({
  url,
  auth: { username: "feeder-1", password: "password" },
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  batch,
  retry: { first_backoff_ms: 20, max_backoff_ms: 200 },
  spool: { folder, fsync, segment_bytes: 16_384 },
  onProblem: (error) => process.stderr.write(`${error.name}: ${error.message}\n`),
});

for (let number = first; number < first + count; ) {
  try {
    await client.write({
      sensor_id: "550e8400-e29b-41d4-a716-446655440001",
      timestamp: new Date(Date.UTC(2026, 0, 1) + number),
      value: number % 600,
      unit: "bar",
    });
    process.stdout.write(`${number}\n`);
    number += 1;
  } catch (error) {
    process.stdout.write(`${error.name}\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
if (after === "close") await client.close();
if (after === "stay") setInterval(() => undefined, 1000);
