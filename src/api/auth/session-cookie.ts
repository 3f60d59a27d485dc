/**
 * The session of a browser: an access token in a cookie that no script can read (RFC 6265bis). A cookie travels by
 * itself, so a request that changes something must also show that a page of this service sent it.
 */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { ProblemError } from "../problem-error.ts";
import { SAFE_METHODS } from "../safe-methods.ts";
import { cameByHttps } from "../security-headers.ts";

export const SESSION_COOKIE = "hydraulic_session";

/** The token in the request's cookie. */
export const sessionToken = (c: Context): string | undefined => getCookie(c, SESSION_COOKIE);

/** Keep the token in the browser. @param max_age_s life of the token */
export function keepSession(c: Context, token: string, max_age_s: number): void {
  setCookie(c, SESSION_COOKIE, token, { ...attributesOf(c), maxAge: max_age_s });
}

/** Make the browser forget the token. */
export function endSession(c: Context): void {
  deleteCookie(c, SESSION_COOKIE, attributesOf(c));
}

const attributesOf = (c: Context) =>
  ({ path: "/", httpOnly: true, sameSite: "Strict", secure: cameByHttps(c) }) as const;

/**
 * Refuses a change that another site's page may have sent along with the cookie. Browsers that know Sec-Fetch-Site
 * (W3C Fetch Metadata) send it wherever they trust the connection; Origin (RFC 6454) remains for plain HTTP.
 * @throws {ProblemError} cross-site-request
 */
export function refuseCrossSite(c: Context): void {
  if (SAFE_METHODS.includes(c.req.method)) return;
  const site = c.req.header("Sec-Fetch-Site");
  const isOwn = site === undefined ? c.req.header("Origin") === ownOrigin(c) : site === "same-origin";
  if (!isOwn) throw new ProblemError("cross-site-request");
}

/**
 * Refuses a request without a cookie that a page of another site sends, as far as its browser says so: nobody is to be
 * logged in, without knowing it, as somebody else. Programs send neither header.
 * @throws {ProblemError} cross-site-request
 */
export function refuseForeignPage(c: Context): void {
  if ((c.req.header("Sec-Fetch-Site") ?? c.req.header("Origin")) !== undefined) refuseCrossSite(c);
}

/** As the browser knows it, which speaks TLS to a proxy that speaks none to us. */
const ownOrigin = (c: Context): string => `${cameByHttps(c) ? "https" : "http"}://${new URL(c.req.url).host}`;
