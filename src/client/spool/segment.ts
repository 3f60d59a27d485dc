/** One file of the spool: written at its end by one hand, read batch by batch. */
import { constants } from "node:fs";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type BatchRange, readBatch, scanSegment } from "./frames.ts";

export class Segment {
  /** Known of a segment that this process writes, or that was scanned. */
  batches: BatchRange[] | null = null;
  /** Batches handed out, and settled. */
  taken = 0;
  settled = 0;
  damaged_bytes = 0;
  /** Positions count on over all segments; this is the one of the first byte here. */
  readonly base: number;
  /** Bytes of the file. */
  bytes: number;
  /** No more is written to it. */
  closed: boolean;
  /** Open while this process writes. */
  handle: FileHandle | null = null;

  constructor(
    readonly number: number,
    readonly path: string,
    place: { readonly base: number; readonly bytes: number; readonly closed: boolean },
  ) {
    this.base = place.base;
    this.bytes = place.bytes;
    this.closed = place.closed;
  }

  /** The first position behind this segment. */
  get limit(): number {
    return this.base + this.bytes;
  }

  /** All of it was handed out. */
  get isTaken(): boolean {
    return this.closed && this.batches !== null && this.taken === this.batches.length;
  }

  get isSettled(): boolean {
    return this.closed && this.batches !== null && this.settled === this.batches.length;
  }

  /**
   * The file with its first bytes.
   * @param synced also its name is on disk before this resolves
   * @throws the disk's error; then there is no file
   */
  async create(first: Uint8Array, synced: boolean): Promise<void> {
    const { O_CREAT, O_EXCL, O_RDWR } = constants;
    this.handle = await open(this.path, O_CREAT | O_EXCL | O_RDWR);
    try {
      await writeWhole(this.handle, first, 0);
      if (synced) await syncFolder(dirname(this.path));
    } catch (error) {
      await this.close();
      await rm(this.path);
      throw error;
    }
    this.bytes = first.length;
    this.batches = [];
  }

  /**
   * @param synced it is on disk before this resolves
   * @throws the disk's error; then nothing was added, as far as the disk lets that be undone
   */
  async append(bytes: Uint8Array, synced: boolean): Promise<void> {
    const handle = this.handle!;
    try {
      await writeWhole(handle, bytes, this.bytes);
      if (synced) await handle.datasync();
    } catch (error) {
      // Should this fail too, the next append writes over what is left, and no reader looks beyond `bytes`.
      await handle.truncate(this.bytes).catch(() => undefined);
      throw error;
    }
    this.bytes += bytes.length;
  }

  /**
   * Find the batches of a file that an earlier process left; all of one that somebody deleted is damaged.
   * @param settled_to bytes that are acknowledged already
   */
  async scan(settled_to: number): Promise<void> {
    const bytes = await readFile(this.path).catch(unlessDeleted);
    const { batches, damaged_bytes } = bytes
      ? scanSegment(bytes)
      : { batches: [], damaged_bytes: this.bytes };
    this.damaged_bytes = damaged_bytes;
    this.batches = batches.filter(({ end }) => end > settled_to);
  }

  /** null when it is damaged, or somebody deleted the file. */
  async read({ start, end }: BatchRange): Promise<ReturnType<typeof readBatch>> {
    // Its own handle: the one that writes may be closed at any time.
    const handle = await open(this.path, "r").catch(unlessDeleted);
    if (!handle) return null;
    try {
      const bytes = Buffer.allocUnsafe(end - start);
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0) return null;
        at += bytesRead;
      }
      return readBatch(bytes);
    } finally {
      await handle.close();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const { handle } = this;
    this.handle = null;
    await handle?.close();
  }
}

/** @throws every error of the disk but that the file is gone, which is null */
export function unlessDeleted(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  throw error;
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
