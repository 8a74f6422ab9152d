// MediaType: the type of a file by its first bytes, never by what the client says.
//
//   media-type.1. Bytes that no known format begins with are `text/plain` when they are UTF-8
//        without control characters, else `application/octet-stream`. Markup is text: a browser
//        never runs it (http-files.ts).

/** What the detection looks at. */
export const HEAD_BYTES = 4_100;
const TEXT_CONTROL = new Set([9, 10, 12, 13, 27]);

/** `head`: the first HEAD_BYTES bytes, or all. Never rejects. */
export async function mediaTypeOf(head: Uint8Array): Promise<string> {
  const known = await detect(head).catch(() => undefined);
  const type = known?.mime.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== undefined && type !== "application/xml") return type;
  return isText(head) ? "text/plain" : "application/octet-stream";
}

/** The first upload of a process loads the code of the detection. */
async function detect(head: Uint8Array): Promise<{ readonly mime: string } | undefined> {
  const { fileTypeFromBuffer } = await import("file-type");
  return fileTypeFromBuffer(head);
}

/** Whether a list such as `image/*, text/plain` has the type. */
export function isListed(list: readonly string[], type: string): boolean {
  const group = `${type.split("/", 1)[0] ?? ""}/*`;
  return list.some((item) => item === type || item === group || item === "*/*");
}

/** media-type.1. The last character may be cut. */
function isText(head: Uint8Array): boolean {
  if (head.some((byte) => byte < 32 && !TEXT_CONTROL.has(byte))) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}
