/** Compressed bodies: what comes out is what another decoder finds in the same bytes, and never more than is allowed. */
import { createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { decompress } from "../../../../src/api/body/decode-body.ts";
import { ProblemError } from "../../../../src/api/problem-error.ts";
import type { FuzzTarget } from "../fuzzer.ts";
import { words } from "./bodies.ts";

const MAX_BYTES = 200_000;
const DECODERS = { gzip: createGunzip, deflate: createInflate, zstd: createZstdDecompress } as const;

function codingTarget(coding: keyof typeof DECODERS): FuzzTarget {
  return {
    name: coding,
    async look(bytes) {
      let body: Uint8Array;
      try {
        body = await decompress(bytes, coding, { max_bytes: MAX_BYTES, max_ratio: 1_000 });
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        return `${error.problem}: ${words(error.detail)}`;
      }
      if (body.byteLength > MAX_BYTES) throw new Error(`${body.byteLength} bytes came out`);
      const streamed = await streamedThrough(DECODERS[coding](), bytes);
      if (!streamed.equals(body))
        throw new Error(`${body.byteLength} bytes, and ${streamed.length} of another decoder`);
      return `whole, ${Math.ceil(Math.log2(body.byteLength + 1) / 3)}`;
    },
  };
}

async function streamedThrough(decoder: NodeJS.ReadWriteStream, bytes: Buffer): Promise<Buffer> {
  decoder.end(bytes);
  const chunks: Uint8Array[] = [];
  for await (const chunk of decoder) chunks.push(chunk as unknown as Uint8Array);
  return Buffer.concat(chunks);
}

export const CODING_TARGETS: readonly FuzzTarget[] = [
  codingTarget("gzip"),
  codingTarget("deflate"),
  codingTarget("zstd"),
];
