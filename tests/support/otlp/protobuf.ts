/** Reads protobuf's wire format, so that what a collector gets is checked without the library that made it. */

/** Of one message: by field number, each value as it stands there. */
export class Fields {
  readonly #values = new Map<number, (bigint | Buffer)[]>();

  constructor(bytes: Buffer) {
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes.readUInt8(at++);
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    };
    const raw = (length: number): Buffer => {
      at += length;
      if (at > bytes.length) throw new Error("a field reaches beyond its message");
      return bytes.subarray(at - length, at);
    };
    while (at < bytes.length) {
      const tag = Number(varint());
      const value = this.#read(tag & 7, varint, raw);
      this.#values.set(tag >>> 3, [...(this.#values.get(tag >>> 3) ?? []), value]);
    }
  }

  #read(wire: number, varint: () => bigint, raw: (length: number) => Buffer): bigint | Buffer {
    if (wire === 0) return varint();
    if (wire === 1) return raw(8).readBigUInt64LE();
    if (wire === 2) return raw(Number(varint()));
    if (wire === 5) return BigInt(raw(4).readUInt32LE());
    throw new Error(`protobuf has no wire type ${wire}`);
  }

  has(field: number): boolean {
    return this.#values.has(field);
  }

  number(field: number): number {
    return Number(this.#values.get(field)?.at(-1) ?? 0);
  }

  /** Of a fixed64 that holds a double. */
  double(field: number): number {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(this.#values.get(field)?.at(-1) as bigint);
    return bytes.readDoubleLE();
  }

  bytes(field: number): Buffer {
    return (this.#values.get(field)?.at(-1) as Buffer | undefined) ?? Buffer.alloc(0);
  }

  text(field: number): string {
    return this.bytes(field).toString();
  }

  hex(field: number): string {
    return this.bytes(field).toString("hex");
  }

  messages(field: number): Fields[] {
    return (this.#values.get(field) ?? []).map((value) => new Fields(value as Buffer));
  }
}
