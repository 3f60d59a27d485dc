/** A suite of the console in a real browser over an API that answers from fixtures. */
import { afterAll, afterEach, beforeAll } from "bun:test";
import { ConsoleBench, PASSWORD } from "./console-api.ts";
import { inChromium, signIn, type Theme, type Visit, visit, WIDE } from "./console-browser.ts";

export interface BenchSuite {
  readonly bench: () => ConsoleBench;
  /** A new visitor who has signed in and stands at the path below /console. */
  readonly enter: (path?: string, theme?: Theme, viewport?: typeof WIDE) => Promise<Visit>;
  /** A new visitor who has not. */
  readonly visit: (theme?: Theme, viewport?: typeof WIDE) => Promise<Visit>;
}

/** After each test the API is as it should be again. */
export function consoleSuite(name: string, tests: (suite: BenchSuite) => void): void {
  inChromium(name, (browser) => {
    let bench: ConsoleBench;
    beforeAll(() => {
      bench = ConsoleBench.start();
    });
    afterEach(() => bench.heal());
    afterAll(() => bench?.stop());
    const arrive = (theme: Theme = "light", viewport = WIDE) => visit(browser(), theme, viewport);
    tests({
      bench: () => bench,
      visit: arrive,
      enter: async (path = "", theme = "light", viewport = WIDE) => {
        const visitor = await arrive(theme, viewport);
        await signIn(visitor.page, bench.url, { path, password: PASSWORD });
        return visitor;
      },
    });
  });
}
