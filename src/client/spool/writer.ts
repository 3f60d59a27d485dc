/**
 * The writing end of a spool. Writes that come while the disk is busy are written together (group commit); a
 * group that fails leaves nothing behind. Batches end with a boundary that holds their Idempotency-Key, written
 * before they are sent: after a crash the same readings go out under the same key.
 */
import { randomUUID } from "node:crypto";
import { type BatchPolicy, Filling } from "../backlog.ts";
import { SpoolWriteError } from "../errors.ts";
import type { Surroundings } from "../time.ts";
import type { SpoolFolder } from "./folder.ts";
import { type BatchRange, BOUNDARY, encodeFrame, MAGIC, READINGS } from "./frames.ts";
import { Segment } from "./segment.ts";
import { FSYNC_INTERVAL_MS, type FsyncPolicy } from "./settings.ts";

export interface WriterSettings {
  readonly folder: SpoolFolder;
  readonly policy: BatchPolicy;
  readonly segment_bytes: number;
  readonly fsync: FsyncPolicy;
  readonly surroundings: Surroundings;
  /** The position that the first segment begins at. */
  readonly base: number;
  /** A segment was begun. */
  readonly begun: (segment: Segment) => void;
  /** There may be a batch to send, earlier than it was thought. */
  readonly changed: () => void;
  /** The disk did not keep what was written, after the fact. */
  readonly problem: (error: Error) => void;
}

/** Readings to add, or null for the end of the batch. */
interface Entry {
  readonly readings: readonly string[] | null;
  readonly bytes: number;
  readonly written: () => void;
  readonly failed: (error: unknown) => void;
}

/** What a group of entries makes of the file. */
interface Plan {
  readonly frames: Buffer[];
  bytes: number;
  readonly complete: BatchRange[];
  filling: Filling | null;
  start: number;
}

export class SpoolWriter {
  /** What has gathered behind the last boundary. */
  filling: Filling | null = null;
  /** Bytes written so far, boundaries and all. */
  written_bytes = 0;
  /** The position behind everything written. */
  end: number;
  #active: Segment | null = null;
  #number: number;
  /** Where the readings of `filling` begin in the active segment. */
  #start = 0;
  readonly #queue: Entry[] = [];
  #writing: Promise<void> | null = null;
  readonly #closing = new AbortController();
  #syncing: Promise<void> | null = null;

  constructor(private readonly settings: WriterSettings) {
    this.#number = settings.folder.free_number;
    this.end = settings.base;
  }

  /** Resolves when they are on disk as the policy wants it. @throws {SpoolWriteError} then none of them is */
  append(readings: readonly string[], bytes: number): Promise<void> {
    return this.#enqueue(readings, bytes);
  }

  /** Make a batch of what has gathered. @throws {SpoolWriteError} */
  endBatch(): Promise<void> {
    return this.#enqueue(null, 0);
  }

  /** Close the segment if all of it is settled; it is written to no more. */
  async closeDrained(): Promise<void> {
    const active = this.#active;
    if (!active || this.filling || this.#writing || active.settled < active.batches!.length) return;
    this.#active = null;
    await active.close();
  }

  /** After the writes under way. @throws the disk's error */
  async close(): Promise<void> {
    await this.#writing;
    this.#closing.abort();
    await this.#syncing;
    const active = this.#active;
    if (!active) return;
    this.#active = null;
    if (this.settings.fsync !== "never") await active.handle?.datasync();
    await active.close();
  }

  #enqueue(readings: readonly string[] | null, bytes: number): Promise<void> {
    return new Promise((written, failed) => {
      this.#queue.push({ readings, bytes, written, failed });
      this.#writing ??= this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    // What is written in this turn of the event loop goes to the disk together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      let group: Entry[] = [];
      try {
        const segment = await this.#segment();
        const plan = this.#begin(segment);
        group = this.#gather(plan);
        await this.#write(segment, plan);
        for (const entry of group) entry.written();
      } catch (error) {
        // Without a segment the whole queue waits for what the disk cannot give.
        const failed = group.length > 0 ? group : this.#queue.splice(0);
        await this.#fail(failed, error);
      }
    }
    this.#writing = null;
  }

  /** Writes are not taken. The end of a batch needs no room: it goes out as one that a crash left would. */
  async #fail(failed: readonly Entry[], error: unknown): Promise<void> {
    const ends = failed.some(({ readings }) => readings === null);
    const { folder, problem } = this.settings;
    const unkept = (cause: unknown) => new SpoolWriteError(folder.path, cause);
    if (ends) await this.#endWithoutBoundary().catch((cause: unknown) => problem(unkept(cause)));
    for (const { readings, written, failed: refuse } of failed) {
      if (readings === null && this.filling === null) written();
      else refuse(unkept(error));
    }
  }

  /** The segment ends with it, and its key is made of its content: the same as after a crash. */
  async #endWithoutBoundary(): Promise<void> {
    const active = this.#active;
    if (!active || !this.filling) return;
    this.#active = null;
    this.filling = null;
    active.batches!.push({ start: this.#start, end: active.bytes });
    try {
      if (this.settings.fsync !== "never") await active.handle?.datasync();
    } finally {
      await active.close();
    }
  }

  /** The one to write to: a full one is closed when its last batch is complete. */
  async #segment(): Promise<Segment> {
    const full = this.#active;
    if (full && (this.filling || full.bytes < this.settings.segment_bytes)) return full;
    const { folder, fsync, begun } = this.settings;
    if (full) {
      if (fsync === "interval") await full.handle?.datasync();
      this.#active = null;
      await full.close();
    }
    const number = this.#number;
    this.#number += 1;
    const segment = new Segment(number, folder.segmentPath(number), {
      base: this.end,
      bytes: 0,
      closed: false,
    });
    await segment.create(MAGIC, fsync !== "never");
    this.written_bytes += MAGIC.length;
    this.#active = segment;
    begun(segment);
    return segment;
  }

  #begin(segment: Segment): Plan {
    const filling = this.filling?.copy() ?? null;
    return { frames: [], bytes: segment.bytes, complete: [], filling, start: this.#start };
  }

  /** Plan as many entries as go into the segment. */
  #gather(plan: Plan): Entry[] {
    const group: Entry[] = [];
    for (let entry = this.#queue[0]; entry; entry = this.#queue[0]) {
      const { readings, bytes } = entry;
      if (readings === null || (plan.filling && !plan.filling.fits(readings.length, bytes))) endBatchIn(plan);
      if (readings !== null) {
        if (!plan.filling && plan.bytes >= this.settings.segment_bytes && plan.frames.length > 0) break;
        if (!plan.filling) plan.start = plan.bytes;
        plan.filling ??= new Filling(this.settings.policy, this.settings.surroundings.clock.monotonic_ms());
        plan.filling.add(readings.length, bytes);
        put(plan, encodeFrame(READINGS, readings.join("\n")));
      }
      group.push(entry);
      this.#queue.shift();
    }
    return group;
  }

  async #write(segment: Segment, plan: Plan): Promise<void> {
    if (plan.frames.length === 0) return;
    const before = segment.bytes;
    await segment.append(Buffer.concat(plan.frames), this.settings.fsync === "always");
    if (this.settings.fsync === "interval") this.#syncing ??= this.#syncLater();
    this.written_bytes += segment.bytes - before;
    this.end = segment.base + segment.bytes;
    const begins = this.filling === null && plan.filling !== null;
    if (plan.filling && this.filling?.hastened && plan.complete.length === 0) plan.filling.hastened = true;
    this.filling = plan.filling;
    this.#start = plan.start;
    segment.batches!.push(...plan.complete);
    if (begins || plan.complete.length > 0 || plan.filling?.isFull) this.settings.changed();
  }

  async #syncLater(): Promise<void> {
    await this.settings.surroundings.sleep(FSYNC_INTERVAL_MS, this.#closing.signal);
    this.#syncing = null;
    const active = this.#active;
    try {
      await active?.handle?.datasync();
    } catch (error) {
      // One that was closed meanwhile was synced then, or had nothing left to keep.
      if (active?.closed) return;
      this.settings.problem(new SpoolWriteError(this.settings.folder.path, error));
    }
  }
}

function put(plan: Plan, frame: Buffer): void {
  plan.frames.push(frame);
  plan.bytes += frame.length;
}

function endBatchIn(plan: Plan): void {
  if (!plan.filling) return;
  put(plan, encodeFrame(BOUNDARY, randomUUID()));
  plan.complete.push({ start: plan.start, end: plan.bytes });
  plan.filling = null;
}
