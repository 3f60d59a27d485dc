/**
 * The readings of a body in line protocol: every field of every line is one. They stay columns until somebody asks for
 * one of them, which happens to those that are refused; of the rest no object is ever made.
 */
import type { BatchReadings } from "../batch-readings.ts";
import { type Naming, resolve, type SeenReading } from "../naming.ts";
import { quoted } from "../printable.ts";
import type { BatchRules } from "../rules.ts";
import { AmbiguousSeries, type FieldKey } from "../series.ts";
import { Unreadable } from "./body-format.ts";
import { KeyFault, type LineKey, LineKeys, MAX_KEY_LENGTH } from "./line-keys.ts";
import { judgeLines } from "./line-rules.ts";
import { fieldEnd, LineScanner, partEnd } from "./line-scan.ts";
import { fieldValue, lineTimestamp_us, type Precision, plainDecimal, timestampText } from "./line-values.ts";

const SPACE = 32;
const COMMA = 44;
const EQUALS = 61;
/** In place of a position in `series`: the field cannot be read. */
const NONE = -1;
/**
 * Characters of a timestamp that are kept with each field of its line. No timestamp has more than twenty; a text of
 * megabytes behind a thousand fields would be kept a thousand times.
 */
const MAX_TIME_LENGTH = 64;

/** What a line does not say itself. */
export interface LineSettings {
  readonly precision: Precision;
  /** Whole microseconds since the epoch; the timestamp of lines without one. */
  readonly received_us: number;
}

export class LineReadings implements BatchReadings {
  /** What the fields are of. */
  readonly series: readonly FieldKey[];
  /** Of each reading, its position in `series`; negative: it cannot be read. */
  readonly seriesOf: Int32Array;
  /** NaN: the value is no number. */
  readonly value: Float64Array;
  /** Whole microseconds since the epoch; NaN: it is no timestamp. */
  readonly timestamp_us: Float64Array;
  readonly #keys = new LineKeys();
  /** Where in the text its line, its field and its timestamp begin, and where the timestamp ends. */
  readonly #keyAt: Int32Array;
  readonly #fieldAt: Int32Array;
  readonly #timeAt: Int32Array;
  readonly #timeEnd: Int32Array;
  #length = 0;
  /** The line of the field that was looked at last: its fields are looked at one after the other. */
  #line: { readonly keyAt: number; readonly key: LineKey | KeyFault; readonly shown: string } | undefined;

  /**
   * @param expected readings that the text should have; of more, which `length` tells, the last ones are not kept
   * @throws {BodyFormatError} when `countLineFields` throws
   */
  constructor(
    private readonly text: string,
    readonly settings: LineSettings,
    expected: number,
  ) {
    const size = Math.min(expected, text.length);
    this.seriesOf = new Int32Array(size);
    this.value = new Float64Array(size);
    this.timestamp_us = new Float64Array(size);
    this.#keyAt = new Int32Array(size);
    this.#fieldAt = new Int32Array(size);
    this.#timeAt = new Int32Array(size);
    this.#timeEnd = new Int32Array(size);
    const lines = new LineScanner(text);
    while (lines.next()) this.#addLine(lines);
    this.series = this.#keys.series;
  }

  get length(): number {
    return this.#length;
  }

  raw(ordinal: number): unknown {
    const field = this.#field(ordinal);
    const series = this.series[this.seriesOf[ordinal]!];
    if (series === undefined) return this.#unreadable(ordinal, field);
    const { measurement, tags, field: name } = series;
    const equals = partEnd(field, 0, EQUALS);
    const value = fieldValue(field.slice(equals + 1));
    return { measurement, tags, field: name, value, timestamp: this.#timestamp(ordinal) };
  }

  seen(ordinal: number, naming: Naming): SeenReading | undefined {
    const series = this.series[this.seriesOf[ordinal]!];
    const resolved = series && resolve(series, naming);
    if (resolved === undefined || resolved instanceof AmbiguousSeries) return undefined;
    const { sensor_id, unit, quality } = resolved;
    return { sensor_id, timestamp: this.#timestamp(ordinal), value: this.value[ordinal]!, unit, quality };
  }

  judge(rules: BatchRules): void {
    judgeLines(this, rules);
  }

  #addLine({ keyAt, keyEnd, fieldsAt, fieldCount, timeAt, timeEnd }: LineScanner): void {
    const { text, settings } = this;
    const key = this.#keys.key(text.slice(keyAt, keyEnd));
    const from = skipBlanks(text, timeAt, timeEnd);
    const end = trimBlanks(text, from, timeEnd);
    const timestamp_us =
      from === end ? settings.received_us : lineTimestamp_us(text, from, end, settings.precision);
    let at = fieldsAt;
    for (let n = 0; n < fieldCount; n += 1) {
      const next = fieldEnd(text, at);
      const row = this.#length;
      this.#setField(row, key, at, text.charCodeAt(next) === COMMA ? next : trimBlanks(text, at, next));
      this.timestamp_us[row] = timestamp_us;
      this.#keyAt[row] = keyAt;
      this.#fieldAt[row] = at;
      this.#timeAt[row] = from;
      this.#timeEnd[row] = end;
      this.#length = row + 1;
      at = next + 1;
    }
  }

  #setField(row: number, key: LineKey | KeyFault, at: number, end: number): void {
    const { text } = this;
    const equals = partEnd(text, at, EQUALS, end);
    if (key instanceof KeyFault || equals === at || equals + 1 >= end) {
      this.seriesOf[row] = NONE;
      this.value[row] = Number.NaN;
      return;
    }
    this.seriesOf[row] = this.#keys.field(key, text.slice(at, equals));
    const plain = plainDecimal(text, equals + 1, end);
    this.value[row] = Number.isNaN(plain) ? numberOf(fieldValue(text.slice(equals + 1, end))) : plain;
  }

  /** The text of a field. */
  #field(ordinal: number): string {
    const { text } = this;
    const at = this.#fieldAt[ordinal]!;
    const end = fieldEnd(text, at);
    return text.slice(at, text.charCodeAt(end) === COMMA ? end : trimBlanks(text, at, end));
  }

  #unreadable(ordinal: number, field: string): Unreadable {
    const { key, shown } = this.#lineOf(ordinal);
    const text = field === "" ? shown.trimEnd() : `${shown} ${field}`;
    const why = key instanceof KeyFault ? key.why : `${quoted(field)} is not a field with a value`;
    return new Unreadable(text, why);
  }

  #lineOf(ordinal: number): { readonly key: LineKey | KeyFault; readonly shown: string } {
    const keyAt = this.#keyAt[ordinal]!;
    if (this.#line?.keyAt === keyAt) return this.#line;
    const { text } = this;
    const keyEnd = partEnd(text, keyAt, SPACE);
    const shown = text.slice(keyAt, Math.min(keyEnd, keyAt + MAX_KEY_LENGTH)).toWellFormed();
    this.#line = { keyAt, key: this.#keys.key(text.slice(keyAt, keyEnd)), shown };
    return this.#line;
  }

  #timestamp(ordinal: number): string {
    const at = this.#timeAt[ordinal]!;
    const end = Math.min(this.#timeEnd[ordinal]!, at + MAX_TIME_LENGTH);
    const sent = this.text.slice(at, end).toWellFormed();
    return timestampText(sent, this.timestamp_us[ordinal]!, this.settings.precision);
  }
}

const numberOf = (value: number | string | boolean): number =>
  typeof value === "number" && Number.isFinite(value) ? value : Number.NaN;

const isBlank = (code: number) => code === SPACE || code === 13 || code === 9;

function skipBlanks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function trimBlanks(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && isBlank(text.charCodeAt(at - 1))) at -= 1;
  return at;
}
