/** The one page of the console: an empty frame that the client fills. Nothing in it is inline. */
import { html } from "hono/html";
import type { Bundle } from "./bundle.ts";

/** Only files of this service; `data:` is for the icon. uPlot and preact set styles through the CSSOM, which is allowed. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** A worker has the policy that its script was answered with: this one asks for events and does nothing else. */
export const WORKER_POLICY = "default-src 'none'; connect-src 'self'";

/** The rest is what every answer of the service has. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": CONTENT_POLICY,
  // The page names the files of this build; a copy from yesterday would name files that are gone.
  "Cache-Control": "no-cache",
};

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3.5' fill='%230a66b0'/%3E%3Cpath d='M2 9h3l1.5-5 3 9L11 9h3' fill='none' stroke='%23fff' stroke-width='1.6'/%3E%3C/svg%3E";

export const page = ({ script, style, worker }: Bundle, base: string) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#ffffff">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#151b22">
<title>Hydraulic Ingest</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="${base}/assets/${style}">
<script type="module" src="${base}/assets/${script}"></script>
</head>
<body>
<div id="console" data-worker="${base}/assets/${worker}"></div>
<noscript>The console needs JavaScript. The API is described at <a href="/docs">/docs</a>.</noscript>
</body>
</html>`;
