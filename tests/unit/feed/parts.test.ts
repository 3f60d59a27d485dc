import { describe, expect, test } from "bun:test";
import { uuidV5 } from "../../../src/contract/name-uuid.ts";
import { Histogram } from "../../../src/feed/histogram.ts";
import { Lanes } from "../../../src/feed/lanes.ts";
import { bar, duration, Progress } from "../../../src/feed/progress.ts";

describe("name-based ids", () => {
  test("are those of RFC 9562 appendix A.4", () => {
    const dns = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    expect(uuidV5(dns, "www.example.com")).toBe("2ed6657d-e927-568b-95e1-2665a8aea6a2");
    expect(uuidV5(dns.toUpperCase(), "www.example.com")).toBe("2ed6657d-e927-568b-95e1-2665a8aea6a2");
  });
});

describe("quantiles", () => {
  test("are within 1 % of the true ones", () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 10_000; i += 1) histogram.add(i / 10);
    for (const [q, expected] of [
      [0.5, 500],
      [0.95, 950],
      [0.99, 990],
    ] as const) {
      expect(Math.abs(histogram.quantile(q)! / expected - 1)).toBeLessThanOrEqual(0.0101);
    }
    expect(histogram.max).toBe(1000);
    expect(histogram.quantile(1)).toBe(1000);
  });

  test("of nothing are null, and the extremes are counted", () => {
    const histogram = new Histogram();
    expect(histogram.quantile(0.5)).toBeNull();
    histogram.add(0);
    histogram.add(1e12);
    expect(histogram.count).toBe(2);
    expect(histogram.quantile(0.5)).toBe(0.01);
  });
});

describe("lanes", () => {
  test("never hold more work than their limit, and start it in order", async () => {
    const lanes = new Lanes(3);
    const order: number[] = [];
    const release: (() => void)[] = [];
    let most = 0;
    let busy = 0;
    const started = Array.from({ length: 10 }, (_, i) =>
      lanes.start(async () => {
        order.push(i);
        busy += 1;
        most = Math.max(most, busy);
        await new Promise<void>((resolve) => release.push(resolve));
        busy -= 1;
      }),
    );
    await Promise.all(started.slice(0, 3));
    expect(lanes.open).toBe(10);
    for (let i = 0; i < 10; i += 1) {
      release[i]!();
      if (i + 3 < 10) await started[i + 3];
    }
    await lanes.idle();
    expect(most).toBe(3);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(lanes.open).toBe(0);
  });

  test("hand on the first error once everything has ended", async () => {
    const lanes = new Lanes(1);
    let ended = 0;
    await lanes.start(async () => {
      throw new Error("first");
    });
    await lanes.start(async () => {
      ended += 1;
      throw new Error("second");
    });
    await expect(lanes.idle()).rejects.toThrow("first");
    expect(ended).toBe(1);
  });
});

describe("progress", () => {
  const written = (isTTY: boolean) => {
    const sink = { isTTY, columns: 12, text: "", write: (t: string) => (sink.text += t) };
    const clock = { ms: 0, now_ms: () => 0, monotonic_ms: () => clock.ms };
    const progress = new Progress(sink, clock, () => "0123456789abcdef");
    return { sink, clock, progress };
  };

  test("is one refreshed line on a terminal, cut to its width, and leaves nothing behind", () => {
    const { sink, clock, progress } = written(true);
    progress.tick();
    expect(sink.text).toBe("");
    clock.ms = 200;
    progress.tick();
    progress.print("stays");
    expect(sink.text).toBe("\r\u001b[K0123456789a\r\u001b[Kstays\n");
  });

  test("is a plain line every 5 s elsewhere", () => {
    const { sink, clock, progress } = written(false);
    for (clock.ms = 0; clock.ms <= 12_000; clock.ms += 100) progress.tick();
    expect(sink.text).toBe("0123456789abcdef\n0123456789abcdef\n");
  });

  test("figures are readable", () => {
    expect(bar(0.5, 4)).toBe("[##..]");
    expect(bar(7, 2)).toBe("[##]");
    expect([null, 0.5, 7.25, 120.4, 65_000].map(duration)).toEqual([
      "-",
      "0.50 ms",
      "7.3 ms",
      "120 ms",
      "65.0 s",
    ]);
  });
});
