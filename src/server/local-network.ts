/** Which addresses are of the network that this machine is in. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';

/** Private use (RFC 1918), loopback, link-local. */
const privateRanges: [network: string, prefix: number][] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
];

/**
 * Tells addresses of private ranges, and of the subnets that this machine's own interfaces are in, from the rest
 * of the world.
 */
export function localNetwork(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): (address: string) => boolean {
  const local = new BlockList();
  for (const [network, prefix] of privateRanges) local.addSubnet(network, prefix, 'ipv4');
  for (const info of Object.values(interfaces).flatMap((infos) => infos ?? [])) {
    const [network = '', prefix = ''] = info.cidr?.split('/') ?? [];
    if (network !== '') local.addSubnet(network, Number(prefix), isIPv6(network) ? 'ipv6' : 'ipv4');
  }
  return (address) => local.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
