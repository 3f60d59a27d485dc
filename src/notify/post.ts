/**
 * One request to a receiver. It goes to an address that was checked, under the name that the webhook has (Host, and
 * the certificate's name); redirects are answers like others; of what comes back only the beginning is read.
 */
import http from "node:http";
import https from "node:https";
import { joinSignals, unlessAborted } from "../ops/retry.ts";
import type { Target } from "./target.ts";

/** Bytes of the answer that are read. */
const MAX_READ_BYTES = 4_096;
/** Characters of it that are kept. */
const EXCERPT_LENGTH = 500;
/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 3;
/** Nothing was sent: the next address may be tried. */
const NOT_CONNECTED = new Set(["ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL"]);

export interface Answer {
  readonly status: number;
  /** Seconds; null without the header, or when it makes no sense. */
  readonly retry_after_s: number | null;
  readonly excerpt: string;
}

export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface PostLimits {
  /** Until the end of the answer, ms. */
  readonly timeout_ms: number;
  /** Gives the request up. */
  readonly signal: AbortSignal;
  /** Certificates to trust beside those of the system, in tests. */
  readonly ca?: string;
}

/** There was no answer; the message is for the webhook's user. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

/** @throws {NoAnswerError} */
export async function post(target: Target, message: Message, limits: PostLimits): Promise<Answer> {
  const end = joinSignals([limits.signal], limits.timeout_ms);
  try {
    // Not left to the client alone: an answer that it makes nothing of would hold a place for ever.
    const answer = await unlessAborted(
      firstAnswer(target, message, { ...limits, signal: end.signal }),
      end.signal,
    );
    if (answer === undefined) throw new Error("the request was given up");
    return answer;
  } catch (error) {
    const words = end.isLate ? `no answer within ${limits.timeout_ms / 1000} s` : (error as Error).message;
    throw new NoAnswerError(words.slice(0, EXCERPT_LENGTH), { cause: error });
  } finally {
    end.release();
  }
}

/** Of the addresses, the first that can be connected to. */
async function firstAnswer(target: Target, message: Message, limits: PostLimits): Promise<Answer> {
  const addresses = target.addresses.slice(0, MAX_ADDRESSES);
  for (const [i, address] of addresses.entries()) {
    try {
      return await send(target, address, message, limits);
    } catch (error) {
      const isLast = i + 1 === addresses.length;
      if (isLast || !NOT_CONNECTED.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  throw new Error("there is no address to send to");
}

function send(
  { url, servername }: Target,
  address: string,
  { headers, body }: Message,
  { signal, ca }: PostLimits,
): Promise<Answer> {
  const isSecure = url.protocol === "https:";
  const bytes = Buffer.from(body);
  const options: https.RequestOptions = {
    method: "POST",
    host: address,
    port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    headers: { ...headers, Host: url.host, "Content-Length": bytes.length, Connection: "close" },
    agent: false,
    signal,
    ...(isSecure && servername !== null ? { servername } : {}),
    ...(isSecure && ca !== undefined ? { ca } : {}),
  };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? https : http).request(options, (response) => {
      readStart(response)
        .then((text) => answerOf(response, text))
        .then(resolve, reject);
    });
    request.on("error", reject);
    // 101 (RFC 9110 section 15.2.2), which nobody asked for, comes as this alone.
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(answerOf(response, ""));
    });
    request.end(bytes);
  });
}

/** @throws {Error} for a status that is none (RFC 9110 section 15) */
function answerOf({ statusCode = 0, headers }: http.IncomingMessage, text: string): Answer {
  if (statusCode < 100) throw new Error(`its answer has the status ${statusCode}, which there is not`);
  return {
    status: statusCode,
    retry_after_s: retryAfter_s(headers["retry-after"]),
    // PostgreSQL takes no NUL in a text.
    excerpt: text.replaceAll("\0", "").slice(0, EXCERPT_LENGTH),
  };
}

/** The text of the answer up to `MAX_READ_BYTES`; the connection is closed then. */
function readStart(response: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const done = () => resolve(Buffer.concat(pieces).subarray(0, MAX_READ_BYTES).toString());
    response.on("data", (piece: Buffer) => {
      pieces.push(piece);
      size += piece.length;
      if (size < MAX_READ_BYTES) return;
      done();
      response.destroy();
    });
    response.on("end", done);
    response.on("error", reject);
    // A connection that ends in the middle of the answer.
    response.on("close", () => reject(new Error("the connection ended before the answer did")));
  });
}

/** Seconds, or a date (RFC 9110 section 10.2.3). */
function retryAfter_s(header: string | undefined): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header);
  const seconds = Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Number.isNaN(seconds) || seconds < 0 ? null : seconds;
}
