/** What is wrong with a request before anybody asks what it is about: its body, its headers, its method. */
import type { ProblemKind } from "./kind.ts";

export const REQUEST_PROBLEMS = {
  "malformed-json": {
    status: 400,
    title: "The body is not JSON",
    about: "The body must be one JSON value (RFC 8259) in UTF-8. Nothing was stored.",
  },
  "malformed-encoding": {
    status: 400,
    title: "The body could not be decoded",
    about: "The body does not match its Content-Encoding, is cut short, or is not UTF-8. Nothing was stored.",
  },
  "invalid-request": {
    status: 400,
    title: "The request does not have the expected shape",
    about: "`errors` lists what is wrong, each with a JSON pointer (RFC 6901). Nothing was stored.",
  },
  "invalid-idempotency-key": {
    status: 400,
    title: "The Idempotency-Key cannot be used",
    about: "An Idempotency-Key has 1 to 255 visible ASCII characters. Nothing was stored.",
  },
  "invalid-job-id": {
    status: 400,
    title: "The job id is malformed",
    about: "A job id is a UUID, as the answer to the ingest request gave it.",
  },
  "method-not-allowed": {
    status: 405,
    title: "This method is not allowed here",
    about: "The Allow header lists the methods of this resource.",
  },
  "body-timeout": {
    status: 408,
    title: "The body took too long to arrive",
    about: "The connection was closed before the whole body had come. Nothing was stored. Send it again.",
  },
  "body-too-large": {
    status: 413,
    title: "The body is too large",
    about: "The bound holds for the body as sent and decompressed. Split the batch. Nothing was stored.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The media type is not supported",
    about: "Send `Content-Type: application/json`; its only charset is UTF-8.",
  },
  "unsupported-content-encoding": {
    status: 415,
    title: "The content encoding is not supported",
    about: "Send the body as it is, or with one of the encodings in the Accept-Encoding header.",
  },
  "selection-too-large": {
    status: 422,
    title: "The selection is too large",
    about: "A decision is about at most 1,000,000 readings. Narrow the filter. Nothing was changed.",
  },
  "idempotency-mismatch": {
    status: 422,
    title: "This Idempotency-Key was used for another body",
    about: "A key stands for one body. Use a new key for a new batch. Nothing was stored.",
  },
} as const satisfies Record<string, ProblemKind>;
