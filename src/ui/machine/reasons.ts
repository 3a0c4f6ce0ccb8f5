import type { PlanReasons } from '../../room/index.ts';

const planNames: Record<string, string> = {
  solo: 'The host alone',
  'best-single': 'The whole model on one other device',
  'two-device': 'The host and one other',
  proportional: 'Blocks dealt by speed',
  even: 'Blocks dealt equally',
};

/** A plan as the planner names it: `solo`, `without a`. */
export function planName(name: string): string {
  return planNames[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}

/** Less is noise. */
const leastGainMs = 0.05;
const shown = 4;

/** What would make a token faster, most first. */
export function easings({ limits, oneMore }: PlanReasons): { what: string; gainMs: number }[] {
  return [
    ...limits.map(({ kind, where, gainMs }) => ({ what: limitText(kind, where), gainMs })),
    ...oneMore.map(({ device, gainMs }) => ({ what: `one more device like ${device}`, gainMs })),
  ]
    .filter(({ gainMs }) => gainMs >= leastGainMs)
    .sort((a, b) => b.gainMs - a.gainMs)
    .slice(0, shown);
}

function limitText(kind: PlanReasons['limits'][number]['kind'], where: string): string {
  switch (kind) {
    case 'memory':
      return `twice the memory on ${where}`;
    case 'speed':
      return `${where} twice as fast`;
    case 'link':
      return `the link ${where} twice as good`;
  }
}
