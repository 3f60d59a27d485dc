/** Limits of alerts as another has set them, while somebody has the dialog open. */
import type { AlertLimitsState } from "../../src/contract/alert.ts";

export const OTHER_LIMITS: Pick<AlertLimitsState, "in_force" | "own" | "author_name"> = {
  in_force: { share: 0.35, window_s: 900, min_readings: 1_000 },
  own: { share: 0.35, window_s: null, min_readings: null },
  author_name: "k.okafor",
};
