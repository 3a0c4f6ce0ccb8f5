/** Under which addresses and names other devices of the local network reach this machine. */
import { hostname, networkInterfaces, type NetworkInterfaceInfo } from 'node:os';

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** Networks that live inside this machine: containers, virtual machines, tunnels. */
const virtualInterface =
  /^(docker|br-|veth|virbr|vmnet|vboxnet|vEthernet|tun|tap|utun|wg|zt|tailscale)/;

/**
 * Addresses that others may reach, likeliest first: IPv4 before IPv6, real networks before virtual
 * ones. Link-local IPv6 addresses are left out: they mean nothing in a link.
 */
export function lanAddresses(interfaces: Interfaces = networkInterfaces()): string[] {
  const found = Object.entries(interfaces).flatMap(([name, infos]) =>
    (infos ?? [])
      .filter((info) => !info.internal && !/^fe80:/i.test(info.address))
      .map((info) => ({ address: info.address, rank: rank(name, info) })),
  );
  found.sort((a, b) => a.rank - b.rank);
  return [...new Set(found.map(({ address }) => address))];
}

function rank(name: string, info: NetworkInterfaceInfo): number {
  return (info.family === 'IPv4' ? 0 : 2) + (virtualInterface.test(name) ? 1 : 0);
}

/** Names that a certificate of this machine should carry: its own, and the one mDNS announces. */
export function hostNames(machine: string = hostname()): string[] {
  const short = machine.split('.')[0]?.toLowerCase() ?? '';
  const names = ['localhost', machine.toLowerCase(), `${short}.local`];
  return [...new Set(names.filter((name) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)))];
}

/** The host part of a URL for this address or name. */
export function urlHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
