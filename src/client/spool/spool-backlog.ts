/**
 * Readings wait on disk, over crashes of this process, until they are acknowledged. Segments are written at one
 * end and sent from the other, batch after batch; a segment is removed when all of its batches are settled.
 */
import { rename, rm, writeFile } from "node:fs/promises";
import { type Backlog, type BatchPolicy, type QueuedBatch, Settlement } from "../backlog.ts";
import { Capacity } from "../capacity.ts";
import { BufferFullError, RequestRefusedError, SpoolDamagedError, SpoolWriteError } from "../errors.ts";
import type { BufferOptions, SpoolOptions } from "../options.ts";
import type { Surroundings } from "../time.ts";
import { type Progress, SpoolFolder } from "./folder.ts";
import { FRAME_BYTES } from "./frames.ts";
import { Segment, unlessDeleted } from "./segment.ts";
import { SpoolWriter } from "./writer.ts";

export interface SpoolSettings {
  readonly policy: BatchPolicy;
  readonly buffer: Required<BufferOptions>;
  readonly spool: Required<SpoolOptions>;
  readonly system_id: string;
  readonly surroundings: Surroundings;
  /** Told when `due_in_ms` may have become less. */
  readonly changed: () => void;
  readonly problem: (error: Error) => void;
}

/** Frames and a boundary, about: what a write reserves beside its readings until it is written, bytes. */
const OVERHEAD_BYTES = 2 * FRAME_BYTES + 64;

export class SpoolBacklog implements Backlog {
  readonly settlement = new Settlement();
  readonly #settings: SpoolSettings;
  readonly #folder: SpoolFolder;
  readonly #memory: Capacity;
  readonly #disk: Capacity;
  readonly #writer: SpoolWriter;
  /** In order; the last one may be the one that is written. */
  #segments: Segment[] = [];
  readonly #places = new Map<QueuedBatch, Segment>();
  #kept_bytes: number;
  /** Of what the writer has written, what the bound knows of. */
  #counted_bytes = 0;
  /** The disk did not take the last progress, and somebody was told. */
  #progress_fails = false;

  /** @throws {SpoolLockedError} {SpoolWriteError} {OptionsError} */
  constructor(settings: SpoolSettings) {
    this.#settings = settings;
    const { buffer, spool, changed, policy, surroundings, problem } = settings;
    const { when_full, max_waiting } = buffer;
    const { folder, max_bytes, segment_bytes, fsync } = spool;
    this.#folder = new SpoolFolder(folder, settings.system_id, problem);
    const bound = { when_full, max_waiting, pressed: changed };
    this.#memory = new Capacity({ ...bound, what: "the buffer", max_bytes: buffer.max_bytes });
    this.#disk = new Capacity({ ...bound, what: `the spool ${folder}`, max_bytes });
    this.#kept_bytes = this.#folder.countKept();
    this.#disk.release(-this.#kept_bytes);
    let base = 0;
    for (const { number, bytes } of this.#folder.segments) {
      const segment = new Segment(number, this.#folder.segmentPath(number), { base, bytes, closed: true });
      this.#segments.push(segment);
      this.#disk.release(-bytes);
      base = segment.limit;
    }
    const begun = (segment: Segment) => this.#segments.push(segment);
    const common = { policy, surroundings, segment_bytes, fsync, changed, problem };
    this.#writer = new SpoolWriter({ ...common, folder: this.#folder, base, begun });
  }

  get used_bytes(): number {
    return this.#disk.used_bytes;
  }

  async add(readings: readonly string[], bytes: number): Promise<void> {
    const reserved = bytes + OVERHEAD_BYTES;
    if (this.#kept_bytes + reserved > this.#settings.spool.max_bytes) this.#recountKept();
    if (this.#kept_bytes + reserved > this.#settings.spool.max_bytes) throw this.#keptError();
    await this.#memory.take(bytes);
    try {
      await this.#disk.take(reserved);
      try {
        await this.#writer.append(readings, bytes);
      } finally {
        this.#count();
        this.#disk.release(reserved);
      }
    } finally {
      this.#memory.release(bytes);
    }
  }

  due_in_ms(): number {
    for (const { batches, taken } of this.#segments) if (batches === null || taken < batches.length) return 0;
    const { filling } = this.#writer;
    if (!filling) return Number.POSITIVE_INFINITY;
    return this.#disk.isPressed ? 0 : filling.due_in_ms(this.#settings.surroundings.clock.monotonic_ms());
  }

  async next(): Promise<QueuedBatch | null> {
    const waiting = await this.#nextComplete();
    if (waiting || !this.#writer.filling) return waiting;
    await this.#writer.endBatch();
    this.#count();
    return this.#nextComplete();
  }

  async settle(batch: QueuedBatch): Promise<void> {
    const segment = this.#places.get(batch);
    if (!segment) return;
    this.#places.delete(batch);
    segment.settled += 1;
    try {
      await this.#removeSettled();
    } finally {
      this.settlement.settle(batch);
    }
    const { position } = this.settlement;
    const first = this.#segments.findLast(({ base }) => base <= position);
    if (first) this.#writeProgress({ segment: first.number, offset: position - first.base });
  }

  async setAside(refused: QueuedBatch, error: Error): Promise<void> {
    const path = this.#folder.rejectedPath(refused.idempotency_key);
    const { system_id, surroundings } = this.#settings;
    const readings = refused.readings.map((reading) => JSON.parse(reading));
    const text = `${JSON.stringify({
      refused_at: new Date(surroundings.clock.now_ms()).toISOString(),
      idempotency_key: refused.idempotency_key,
      message: error.message,
      ...(error instanceof RequestRefusedError ? { status: error.status, problem: error.problem } : {}),
      batch: { system_id, readings },
    })}\n`;
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
    this.#keep(Buffer.byteLength(text));
  }

  hasten(): number {
    if (this.#writer.filling) this.#writer.filling.hastened = true;
    this.#settings.changed();
    return this.#writer.end;
  }

  refuseWaiting(error: Error): void {
    this.#memory.refuseWaiting(error);
    this.#disk.refuseWaiting(error);
  }

  async close(): Promise<number> {
    await this.#writer.close();
    await this.#removeSettled();
    this.#folder.close();
    return 0;
  }

  async #nextComplete(): Promise<QueuedBatch | null> {
    for (const segment of [...this.#segments]) {
      if (segment.batches === null) await this.#scan(segment);
      for (let range = segment.batches![segment.taken]; range; range = segment.batches![segment.taken]) {
        const batch = await segment.read(range);
        segment.taken += 1;
        if (batch) {
          this.#places.set(batch, segment);
          this.settlement.handOut(batch, segment.isTaken ? segment.limit : segment.base + range.end);
          return batch;
        }
        segment.settled += 1;
        this.#damaged(segment, range.end - range.start);
      }
    }
    const last = this.#segments.at(-1);
    await this.#removeSettled();
    // It may end in what is no batch.
    if (last?.closed) this.settlement.skipTo(last.limit);
    return null;
  }

  async #scan(segment: Segment): Promise<void> {
    const { progress } = this.#folder;
    await segment.scan(progress?.segment === segment.number ? progress.offset : 0);
    if (segment.damaged_bytes > 0) this.#damaged(segment, 0);
  }

  #damaged(segment: Segment, more_bytes: number): void {
    segment.damaged_bytes += more_bytes;
    const file = this.#folder.damagedPath(segment.number);
    this.#settings.problem(new SpoolDamagedError(file, segment.damaged_bytes));
  }

  async #removeSettled(): Promise<void> {
    await this.#writer.closeDrained();
    const settled = this.#segments.filter((segment) => segment.isSettled);
    if (settled.length === 0) return;
    this.#segments = this.#segments.filter((segment) => !settled.includes(segment));
    for (const { number, path, bytes, damaged_bytes } of settled) {
      if (damaged_bytes > 0) {
        const kept = await rename(path, this.#folder.damagedPath(number)).then(() => true, unlessDeleted);
        if (kept) this.#keep(bytes);
      } else await rm(path, { force: true });
      this.#disk.release(bytes);
    }
    if (this.#segments.length === 0) this.#refuseBehindKept();
  }

  /** Without it the batch would go out again after a restart, under its own key: no reason to stop. */
  #writeProgress(progress: Progress): void {
    try {
      this.#folder.writeProgress(progress);
      this.#progress_fails = false;
    } catch (error) {
      if (!this.#progress_fails) this.#settings.problem(new SpoolWriteError(this.#folder.path, error));
      this.#progress_fails = true;
    }
  }

  #keep(bytes: number): void {
    this.#kept_bytes += bytes;
    this.#disk.release(-bytes);
  }

  /** Tell the bound what the writer has really written. */
  #count(): void {
    const { written_bytes } = this.#writer;
    this.#disk.release(this.#counted_bytes - written_bytes);
    this.#counted_bytes = written_bytes;
  }

  /** Nothing is left to send, and still there is no room: that is for people to make. */
  #refuseBehindKept(): void {
    if (this.#disk.isPressed) this.#recountKept();
    if (this.#disk.isPressed) this.#disk.refuseWaiting(this.#keptError());
  }

  #keptError(): BufferFullError {
    const { max_bytes, folder } = this.#settings.spool;
    return new BufferFullError(
      `the spool ${folder} is full of refused batches and damaged files (${this.#kept_bytes} of ${max_bytes} bytes): ` +
        "look into its folders rejected and damaged",
    );
  }

  /** People may have cleared them away. */
  #recountKept(): void {
    const kept_bytes = this.#folder.countKept();
    this.#disk.release(this.#kept_bytes - kept_bytes);
    this.#kept_bytes = kept_bytes;
  }
}
