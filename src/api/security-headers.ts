/** Headers that every answer has, for browsers: what may be loaded, framed, remembered and told to others. */
import type { Context } from "hono";

/**
 * For answers that are no pages; the console and the documentation have policies of their own. `no-store` because most
 * answers are about people and machines of one user: what others may keep says so itself.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  // For browsers that do not know frame-ancestors.
  "X-Frame-Options": "DENY",
};

/** Made once: every request puts them on its answer. */
const HEADERS = Object.entries(SECURITY_HEADERS);

/** A year, this host alone: what its neighbours do is not ours to say. */
const HTTPS_ONLY = "max-age=31536000";

/** Puts them on the answer to come. Strict-Transport-Security (RFC 6797) only where the way was TLS. */
export function setSecurityHeaders(c: Context): void {
  for (const [name, value] of HEADERS) c.header(name, value);
  if (cameByHttps(c)) c.header("Strict-Transport-Security", HTTPS_ONLY);
}

/** A proxy's word is enough: who lies about it changes only what their own browser is told. */
export function cameByHttps(c: Context): boolean {
  const [forwarded] = (c.req.header("X-Forwarded-Proto") ?? "").split(",");
  return forwarded?.trim().toLowerCase() === "https" || c.req.url.startsWith("https:");
}
