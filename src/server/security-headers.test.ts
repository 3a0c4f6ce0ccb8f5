import { expect, test } from 'vitest';
import { securityHeaders } from './security-headers.ts';

test('sockets go to the origin the page came from, and to what was allowed by name', () => {
  expect(connectSources({ host: '192.168.1.5:8443', secure: true })).toEqual([
    "'self'",
    'blob:',
    'wss://192.168.1.5:8443',
    'https://hub.example',
  ]);
  expect(connectSources({ host: '[fd00::5]:8443', secure: true })).toContain(
    'wss://[fd00::5]:8443',
  );
  expect(connectSources({ host: 'localhost:8080', secure: false })).toContain(
    'ws://localhost:8080',
  );
});

test.each(["x; script-src 'unsafe-inline'", 'a b', '', undefined])(
  'a Host header like %s does not get into the policy',
  (host) => {
    expect(connectSources({ host, secure: true })).toEqual([
      "'self'",
      'blob:',
      'https://hub.example',
    ]);
  },
);

test('nothing inline, no eval of text, no framing', () => {
  const policy = policyFor({ host: 'localhost', secure: false });
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy.join()).not.toMatch(/'unsafe-/);
});

function policyFor(request: { host: string | undefined; secure: boolean }): string[] {
  const headers = securityHeaders({ ...request, connectSources: ['https://hub.example'] });
  return headers['Content-Security-Policy'].split('; ');
}

function connectSources(request: { host: string | undefined; secure: boolean }): string[] {
  const directive = policyFor(request).find((part) => part.startsWith('connect-src '));
  return directive?.split(' ').slice(1) ?? [];
}
