/** Which hash slot of a Redis Cluster a key falls on ("Redis cluster specification", "Key distribution model"). */

/** Hash slots of every Redis Cluster. */
export const SLOTS = 16_384;

/** CRC-16/XMODEM: polynomial 0x1021, initial value 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

/** Only what stands in the first pair of braces counts, when it is not empty. */
export function slotOf(key: string): number {
  const tag = /^[^{]*\{([^}]+)\}/.exec(key)?.[1] ?? key;
  return crc16(new TextEncoder().encode(tag)) % SLOTS;
}
