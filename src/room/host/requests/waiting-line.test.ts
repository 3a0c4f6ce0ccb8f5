import { describe, expect, it } from 'vitest';
import { createWaitingLine } from './waiting-line.ts';

function lineOf(...entries: string[]) {
  const line = createWaitingLine<{ asker: string; text: string }>();
  for (const text of entries) line.add({ asker: text[0], text });
  return line;
}

function textsOf(line: ReturnType<typeof lineOf>): string[] {
  return line.order().map(({ text }) => text);
}

describe('a waiting line', () => {
  it('takes one asker in turn, each in the order of their own questions', () => {
    const line = lineOf('a1', 'a2', 'a3', 'b1', 'c1', 'b2');
    const order = textsOf(line);
    const taken = order.map(() => line.take()?.text);
    expect(taken).toEqual(order);
    expect([...order.slice(0, 3)].sort()).toEqual(['a1', 'b1', 'c1']);
    expect(order.slice(3)).toEqual(expect.arrayContaining(['a2', 'b2', 'a3']));
    expect(order.at(-1)).toBe('a3');
    expect(line.take()).toBeUndefined();
  });

  it('puts whoever was just answered behind the others', () => {
    const line = lineOf('a1');
    expect(line.take()?.text).toBe('a1');
    line.add({ asker: 'a', text: 'a2' });
    line.add({ asker: 'b', text: 'b1' });
    expect(line.take()?.text).toBe('b1');
  });

  it('closes up when a question is withdrawn', () => {
    const line = lineOf('a1', 'b1', 'a2');
    const [first] = line.order();
    line.remove(first);
    expect(textsOf(line)).not.toContain(first.text);
    expect(line.order()).toHaveLength(2);
  });
});
