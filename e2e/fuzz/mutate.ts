/** Ways in which what is valid is spoilt. */

/** A number in [0, 1). */
export type Random = () => number;

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function oneOf<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)];
}

/** A copy with a few bytes changed, or cut short, or with more behind it. */
export function spoiltBytes(
  bytes: Uint8Array,
  random: Random,
  mostChanged = 6,
): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes);
  switch (below(random, 5)) {
    case 0:
      return copy.slice(0, below(random, copy.length + 1));
    case 1: {
      const longer = new Uint8Array(copy.length + 1 + below(random, 64));
      longer.set(copy);
      return longer;
    }
    default: {
      // Headers are at the front, and it is they that decide.
      const reach = random() < 0.8 ? Math.min(40, copy.length) : copy.length;
      for (let count = 1 + below(random, mostChanged); count > 0; count--)
        if (reach > 0) copy[below(random, reach)] = below(random, 256);
      return copy;
    }
  }
}

const strange: readonly unknown[] = [
  null,
  undefined,
  -1,
  0,
  1e308,
  NaN,
  2 ** 53,
  0.5,
  '',
  '\u0000',
  'x'.repeat(600),
  '__proto__',
  [],
  {},
  [[]],
  true,
];

/** A copy in which one value, at any depth, is another, missing or more than there should be. */
export function spoiltValue(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.1) return oneOf(random, strange);
  if (Array.isArray(value)) {
    const copy: unknown[] = [...(value as unknown[])];
    if (copy.length === 0 || random() < 0.2)
      return Array.from({ length: 1 + below(random, 1000) }, () => copy.at(0));
    const at = below(random, copy.length);
    copy[at] = spoiltValue(copy[at], random);
    return copy;
  }
  const copy: Record<string, unknown> = { ...value };
  const names = Object.keys(copy);
  const name = oneOf(random, names.length > 0 ? names : ['kind']);
  if (random() < 0.2) return Object.fromEntries(Object.entries(copy).filter(([at]) => at !== name));
  if (random() < 0.1) copy['more'] = oneOf(random, strange);
  else copy[name] = spoiltValue(copy[name], random);
  return copy;
}

export function randomBytes(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => below(random, 256));
}

const strangeText = [
  '',
  ' ',
  '%',
  '%E0%A4',
  '/',
  '=',
  '&',
  '#',
  '-',
  '--',
  '{%',
  '}}',
  '\u0000',
  '\uD800',
  '9'.repeat(40),
  'x'.repeat(300),
];

/** A copy with some of its letters changed, missing, said twice, or strange ones among them. */
export function spoiltText(text: string, random: Random): string {
  let letters = text;
  for (let count = 1 + below(random, 3); count > 0; count--) {
    const at = below(random, letters.length + 1);
    const end = Math.min(letters.length, at + below(random, 1 + below(random, 12)));
    const between =
      random() < 0.6 ? oneOf(random, strangeText) : letters.slice(below(random, at + 1), at);
    letters = letters.slice(0, at) + between + letters.slice(end);
  }
  return letters;
}
