// Addresses: which addresses a request to a stranger may reach, judged after DNS.
//
//   addresses.1. Only public unicast addresses pass: no loopback, private, link-local, shared,
//        multicast or reserved one, in IPv4 and IPv6. An IPv4 address within an IPv6 one is judged
//        as what it is; ranges that tunnel IPv4 (NAT64, 6to4, Teredo) do not pass. The settings
//        WEBHOOKS_ALLOW and LINK_PREVIEWS_ALLOW name exceptions, each for its own requests.
//   addresses.2. The socket connects to an address that was checked: the check is the look-up of
//        the socket itself, so no second answer of DNS can replace it.

import { lookup } from "node:dns";
import type { LookupAddress, LookupAllOptions } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** Networks that pass beside public addresses, as [address, bits]. */
export type AllowedNetworks = readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];

/** `127.0.0.0/8, ::1/128`; undefined when a part is no network. */
export function readNetworks(text: string): AllowedNetworks | undefined {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  return parts.every((part) => ipaddr.isValidCIDR(part))
    ? parts.map((part) => ipaddr.parseCIDR(part))
    : undefined;
}

/** Whether a request may reach an address. */
export type Judge = (address: string) => boolean;

/** All addresses of a name. */
export type LookUp = (
  host: string,
  options: LookupAllOptions,
  done: (error: Error | null, found: readonly LookupAddress[]) => void,
) => void;

export function isAllowed(text: string, allowed: AllowedNetworks): boolean {
  if (isIP(text) === 0) return false;
  return isNamed(text, allowed) || ipaddr.process(text).range() === "unicast"; // addresses.1
}

/** Only of the networks themselves, also for a public address. */
export function isNamed(text: string, networks: AllowedNetworks): boolean {
  if (isIP(text) === 0) return false;
  const address = ipaddr.process(text); // An IPv4-mapped one becomes IPv4.
  return networks.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
}

/** A host that is an address itself is never looked up. */
export function isAllowedHost(host: string, passes: Judge): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  return isIP(address) === 0 || passes(address);
}

export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
  constructor() {
    super("the address is not a public one, and WEBHOOKS_ALLOW does not name it");
  }
}

/** For `lookup` of a socket (addresses.2). */
export function checkedLookup(passes: Judge, look: LookUp = lookup): LookupFunction {
  return (host, options, done) => {
    look(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, "");
      const good = found.filter(({ address }) => passes(address));
      const [first] = good;
      if (first === undefined) return done(new AddressRefused(), "");
      if (options.all === true) return done(null, good);
      done(null, first.address, first.family);
    });
  };
}
