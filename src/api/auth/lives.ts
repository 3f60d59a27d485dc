/** Answers without an end (events, exports) stop when the credential that opened them does. */
import type { AccessRegister } from "./access-register.ts";
import type { Claims } from "./claims.ts";

/** How long claims hold. */
export interface Life {
  /** Fires when they do not any more; has fired when they do not even now. */
  readonly signal: AbortSignal;
  /** The answer is over: nobody waits for the signal. */
  end(): void;
}

/** Longest delay of a timer (HTML section 8.6), ms. */
const MAX_TIMER_MS = 2_147_483_647;

export class Lives {
  constructor(
    private readonly register: Pick<AccessRegister, "listen">,
    private readonly holds: (claims: Claims) => boolean,
  ) {}

  /** @param left_ms until the credential expires; may be infinite */
  begin(claims: Claims, left_ms: number): Life {
    const over = new AbortController();
    const timer = setTimeout(() => finish(), Math.min(MAX_TIMER_MS, Math.max(1, left_ms)));
    const leave = this.register.listen(() => {
      if (!this.holds(claims)) finish();
    });
    const end = () => {
      clearTimeout(timer);
      leave();
    };
    const finish = () => {
      end();
      over.abort();
    };
    // What ended them may have come between the look at the credential and this one.
    if (!this.holds(claims)) finish();
    return { signal: over.signal, end };
  }
}
