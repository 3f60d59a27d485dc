/** Refuses what cannot be a JSON body by its headers alone, before anything is counted or read. */
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../app-env.ts";
import { contentCoding, JSON_ONLY, mediaTypeOf } from "../body/media.ts";

/** @throws {ProblemError} unsupported-media-type, unsupported-content-encoding */
export const requireEncodedJson: MiddlewareHandler<AppEnv> = async (c, next) => {
  mediaTypeOf(c.req.header("Content-Type"), JSON_ONLY);
  contentCoding(c.req.header("Content-Encoding"));
  await next();
};
