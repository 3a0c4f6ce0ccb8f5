/** How often each type of message was valid as it stood, and how often it was refused for that or for its place. */

export interface Count {
  handler: string;
  type: string;
  sent: number;
  valid: number;
  refused: number;
}

export interface Tally {
  /** Makes a type known before any of it comes: what never comes shows. */
  expect(handler: string, types: Iterable<string>): void;
  note(handler: string, type: string, what: { valid: boolean; refused: boolean }): void;
  readonly counts: readonly Count[];
  /** Types of which none was valid, or none was refused. */
  readonly missing: readonly Count[];
}

export function createTally(): Tally {
  const counts = new Map<string, Count>();

  function countOf(handler: string, type: string): Count {
    const name = `${handler} ${type}`;
    const count = counts.get(name) ?? { handler, type, sent: 0, valid: 0, refused: 0 };
    counts.set(name, count);
    return count;
  }

  return {
    expect(handler, types) {
      for (const type of types) countOf(handler, type);
    },
    note(handler, type, { valid, refused }) {
      const count = countOf(handler, type);
      count.sent++;
      if (valid) count.valid++;
      if (refused) count.refused++;
    },
    get counts() {
      return [...counts.values()];
    },
    get missing() {
      return [...counts.values()].filter(({ valid, refused }) => valid === 0 || refused === 0);
    },
  };
}
