// AnimatedWebp: joins still WebP pictures into one animated picture. The browser that takes the
// pictures encodes them; this file writes the container (RIFF, RFC 9649).

export interface Frame {
  /** A still, lossy WebP without transparency. */
  readonly webp: Uint8Array;
  readonly ms: number;
  /** The part of the picture that it replaces. Its left and top are even. */
  readonly part: Part;
}

export interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const LOSSY = "VP8 ";
/** In a VP8X chunk: the file is animated. */
const ANIMATED = 0x02;
/** The frame replaces its part of the one before. */
const WITHOUT_BLENDING = Buffer.from([0x02]);

/** It repeats without end. Throws RangeError for a picture of another kind. */
export function animatedWebp(
  frames: readonly Frame[],
  { width, height }: { readonly width: number; readonly height: number },
): Buffer {
  const size = numbers(width - 1, height - 1);
  const header = chunk("VP8X", Buffer.concat([Buffer.from([ANIMATED, 0, 0, 0]), size]));
  // A white background, and 0 repetitions: without end.
  const animation = chunk("ANIM", Buffer.from([255, 255, 255, 255, 0, 0]));
  const pictures = frames.map(({ webp, ms, part }) => {
    const { left, top } = part;
    const place = numbers(left / 2, top / 2, part.width - 1, part.height - 1, ms);
    const data = [place, WITHOUT_BLENDING, chunk(LOSSY, lossyData(webp))];
    return chunk("ANMF", Buffer.concat(data));
  });
  const body = Buffer.concat([Buffer.from("WEBP"), header, animation, ...pictures]);
  return chunk("RIFF", body);
}

/** Each in three bytes, the lowest first. */
function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(3 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUIntLE(value, 3 * index, 3);
  return bytes;
}

/** The contents of the VP8 chunk of a still picture. */
function lossyData(webp: Uint8Array): Buffer {
  const file = Buffer.from(webp);
  for (let at = 12; at + 8 <= file.length;) {
    const length = file.readUInt32LE(at + 4);
    if (file.toString("latin1", at, at + 4) === LOSSY)
      return file.subarray(at + 8, at + 8 + length);
    at += 8 + length + (length % 2);
  }
  throw new RangeError("not a lossy WebP picture");
}

function chunk(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, "latin1");
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
