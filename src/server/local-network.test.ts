import { expect, it } from 'vitest';
import { localNetwork } from './local-network.ts';

const campus = {
  address: '203.0.113.17',
  netmask: '255.255.255.0',
  cidr: '203.0.113.17/24',
  family: 'IPv4' as const,
  mac: '',
  internal: false,
};

it.each([
  ['192.168.1.20', true],
  ['10.3.4.5', true],
  ['172.31.0.1', true],
  ['172.32.0.1', false],
  ['127.0.0.1', true],
  ['169.254.9.9', true],
  ['8.8.8.8', false],
  ['203.0.113.99', false],
])('%s is local: %s', (address, isOfIt) => {
  expect(localNetwork({})(address)).toBe(isOfIt);
});

it('counts the subnets of this machine, public as they may be', () => {
  const isLocal = localNetwork({ eth0: [campus] });
  expect(isLocal('203.0.113.99')).toBe(true);
  expect(isLocal('203.0.114.1')).toBe(false);
});
