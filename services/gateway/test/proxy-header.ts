// ProxyHeader: headers of the PROXY protocol, as a proxy writes them before a client's bytes.

import { isIPv6 } from "node:net";

export function proxyHeaderV1(source: string, port = 4_711): Buffer {
  const [family, target] = isIPv6(source) ? ["TCP6", "::1"] : ["TCP4", "127.0.0.1"];
  return Buffer.from(`PROXY ${family} ${source} ${target} ${port} 8080\r\n`, "latin1");
}

export function proxyHeaderV2(
  source: string,
  { extra = 0, isLocal = false }: { readonly extra?: number; readonly isLocal?: boolean } = {},
): Buffer {
  const addresses = isIPv6(source)
    ? Buffer.concat([v6Bytes(source), v6Bytes("::1")])
    : Buffer.from([...source.split(".").map(Number), 127, 0, 0, 1]);
  const ports = Buffer.from([0x12, 0x67, 0x1f, 0x90]);
  const head = Buffer.from("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\0", "latin1");
  head[12] = isLocal ? 0x20 : 0x21;
  head[13] = isIPv6(source) ? 0x21 : 0x11;
  head.writeUInt16BE(addresses.length + ports.length + extra, 14);
  return Buffer.concat([head, addresses, ports, Buffer.alloc(extra)]);
}

function v6Bytes(address: string): Buffer {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16);
  const text =
    dotted === null
      ? address
      : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [head = "", tail] = text.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [
    ...left,
    ...Array.from({ length: 8 - left.length - right.length }, () => "0"),
    ...right,
  ];
  const bytes = Buffer.alloc(16);
  groups.forEach((group, at) => bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * at));
  return bytes;
}
