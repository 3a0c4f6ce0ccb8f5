import { expect, it, vi } from 'vitest';
import type { Bundle } from './bundle.ts';
import type { Lane } from './lane.ts';
import { newLinkStats } from './link-stats.ts';
import { createRoutes, type Routes, type RoutesOptions } from './routes.ts';

const stats = newLinkStats();
const roundTrip = vi.fn(() => Promise.resolve(1.5));

function routesOf({ isHeld }: { isHeld: boolean }): Routes {
  const lane = { bulk: { frameSeen: () => undefined } } as Lane;
  const bundle = { tokens: [], bulk: null, want: () => undefined } as Partial<Bundle> as Bundle;
  return createRoutes({ primary: () => lane, bundle, isHeld: () => isHeld, roundTrip, stats });
}

it.each([
  { way: 'sent', pass: (routes: Routes) => routes.frameSent(600) },
  { way: 'came', pass: (routes: Routes) => routes.frameCame() },
])('the round trip is measured anew when a frame $way', async ({ pass }) => {
  stats.roundTripMs = 0.25;
  pass(routesOf({ isHeld: false }));
  await vi.waitFor(() => expect(stats.roundTripMs).toBe(1.5));
});

it('nothing is measured while the connection is broken', () => {
  roundTrip.mockClear();
  const routes = routesOf({ isHeld: true });
  routes.frameSent(600);
  routes.frameCame();
  expect(roundTrip).not.toHaveBeenCalled();
});

it('striping is tried once every connection that was asked for is there', async () => {
  const lane = { bulk: { frameSeen: () => undefined } } as Lane;
  const bundle = { tokens: [lane], bulk: null, isGrowing: true, want: () => undefined };
  const roundTripOver = vi.fn<RoutesOptions['roundTrip']>(() => Promise.resolve(80));
  const routes = createRoutes({
    primary: () => lane,
    bundle: bundle as Partial<Bundle> as Bundle,
    isHeld: () => false,
    roundTrip: roundTripOver,
    stats,
  });
  const trials = (): number => roundTripOver.mock.calls.filter(([, { short }]) => short).length;
  for (let frame = 0; frame < 3; frame++) routes.frameSent(70_000);
  await vi.waitFor(() => expect(stats.roundTripMs).toBe(80));
  routes.changed();
  routes.tend();
  expect(trials()).toBe(0);
  bundle.isGrowing = false;
  bundle.tokens.push(lane, lane, lane);
  routes.changed();
  expect(trials()).toBeGreaterThan(0);
  await vi.waitFor(() =>
    expect(roundTripOver.mock.calls.some(([, { over }]) => over?.length === 5)).toBe(true),
  );
});

it('frames that follow each other at once are measured by one probe', () => {
  roundTrip.mockClear();
  const routes = routesOf({ isHeld: false });
  for (let frame = 0; frame < 20; frame++) routes.frameCame();
  expect(roundTrip).toHaveBeenCalledTimes(2);
});
