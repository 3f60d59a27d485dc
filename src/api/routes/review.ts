/** The routes of decisions about quarantined readings. */
import type { App } from "../app-env.ts";
import { smallJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { mountReviewAction } from "./review-action.ts";
import { mountReviewActions } from "./review-actions.ts";
import { mountReviewPost } from "./review-post.ts";

/** A thousand ids of 16 digits and the longest note, every character escaped, fit. */
const MAX_REVIEW_BYTES = 65_536;

export function mountReview(app: App, deps: RouteDeps): void {
  mountReviewPost(app, { ...deps, readJson: smallJson(MAX_REVIEW_BYTES, deps.config.BODY_TIMEOUT_MS) });
  mountReviewActions(app, deps);
  mountReviewAction(app, deps);
}
