/**
 * The line in which questions wait for their turn while the room is full. Askers take turns, each in the order of their own
 * questions.
 */
export interface WaitingLine<Entry extends { asker: string }> {
  add(entry: Entry): void;
  remove(entry: Entry): void;
  /** The entry whose turn it is; it waits no more. */
  take(): Entry | undefined;
  /** In the order in which they will be taken. */
  order(): Entry[];
}

export function createWaitingLine<Entry extends { asker: string }>(): WaitingLine<Entry> {
  let entries: Entry[] = [];
  /** Askers, the one answered longest ago first. */
  let turns: string[] = [];

  function order(): Entry[] {
    const left = [...entries];
    const ordered: Entry[] = [];
    while (left.length > 0)
      for (const asker of turns) {
        const next = left.findIndex((entry) => entry.asker === asker);
        if (next !== -1) ordered.push(...left.splice(next, 1));
      }
    return ordered;
  }

  return {
    add(entry) {
      if (!turns.includes(entry.asker)) turns.unshift(entry.asker);
      entries.push(entry);
    },
    remove(entry) {
      entries = entries.filter((other) => other !== entry);
    },
    take() {
      const next = order().at(0);
      if (!next) return undefined;
      entries = entries.filter((other) => other !== next);
      turns = [...turns.filter((asker) => asker !== next.asker), next.asker];
      return next;
    },
    order,
  };
}
