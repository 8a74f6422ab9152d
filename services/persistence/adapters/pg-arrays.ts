// PostgreSQL arrays in the binary format: the parameters of `unnest` for one batch.
//
// In the text format, an array of JSON lines would need an escape for every quote. The binary
// format is lengths and bytes, and pg passes a Buffer on as a binary parameter.
//
// The caller has checked the values: integers are safe, uuids are canonical, strings are well
// formed.

const TEXT = 25;
const INT8 = 20;
const UUID = 2950;
/** dimensions, flags, element type, length, lower bound: five 32-bit words. */
const HEADER_BYTES = 20;

export function textArray(values: readonly string[]): Buffer {
  let bytes = 0;
  for (const value of values) bytes += 4 + Buffer.byteLength(value);
  const out = open(TEXT, values.length, bytes);
  let at = HEADER_BYTES;
  for (const value of values) {
    const length = out.write(value, at + 4);
    out.writeInt32BE(length, at);
    at += 4 + length;
  }
  return out;
}

export function int8Array(values: readonly number[]): Buffer {
  const out = open(INT8, values.length, values.length * 12);
  let at = HEADER_BYTES;
  for (const value of values) {
    out.writeInt32BE(8, at);
    out.writeInt32BE(Math.floor(value / 0x1_0000_0000), at + 4);
    out.writeUInt32BE(((value % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000, at + 8);
    at += 12;
  }
  return out;
}

export function uuidArray(values: readonly string[]): Buffer {
  const out = open(UUID, values.length, values.length * 20);
  let at = HEADER_BYTES;
  for (const value of values) {
    out.writeInt32BE(16, at);
    out.write(value.replaceAll("-", ""), at + 4, "hex");
    at += 20;
  }
  return out;
}

function open(type: number, count: number, bytes: number): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  out.writeInt32BE(1, 0); // one dimension
  out.writeInt32BE(0, 4); // no nulls
  out.writeInt32BE(type, 8);
  out.writeInt32BE(count, 12);
  out.writeInt32BE(1, 16); // counted from 1
  return out;
}
