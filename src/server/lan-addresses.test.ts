import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { hostNames, lanAddresses, urlHost } from './lan-addresses.ts';

test('likeliest first: IPv4 of real networks, then virtual ones, then IPv6', () => {
  expect(
    lanAddresses({
      lo: [info('127.0.0.1', { internal: true })],
      docker0: [info('172.17.0.1')],
      wlan0: [info('fe80::1'), info('fd00::5'), info('192.168.1.20')],
      eth0: [info('10.0.0.7')],
    }),
  ).toEqual(['192.168.1.20', '10.0.0.7', '172.17.0.1', 'fd00::5']);
});

test('no network, no addresses', () => {
  expect(lanAddresses({ lo: [info('127.0.0.1', { internal: true })] })).toEqual([]);
});

test('a machine is known by its name and by the one mDNS announces', () => {
  expect(hostNames('Desk-3.example.org')).toEqual([
    'localhost',
    'desk-3.example.org',
    'desk-3.local',
  ]);
  expect(hostNames('bad name!')).toEqual(['localhost']);
});

test('an IPv6 address needs brackets in a URL', () => {
  expect(urlHost('fd00::5')).toBe('[fd00::5]');
  expect(urlHost('10.0.0.7')).toBe('10.0.0.7');
});

function info(address: string, { internal = false } = {}): NetworkInterfaceInfo {
  const shared = { address, internal, netmask: '', mac: '', cidr: null };
  return address.includes(':')
    ? { ...shared, family: 'IPv6', scopeid: 0 }
    : { ...shared, family: 'IPv4' };
}
