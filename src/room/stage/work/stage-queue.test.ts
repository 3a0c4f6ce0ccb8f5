import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStageQueue, type QueuedWork } from './stage-queue.ts';

interface Named extends QueuedWork {
  name: string;
}

function queueOf(maxTogether: number, ...names: string[]) {
  const queue = createStageQueue<Named>(() => maxTogether);
  for (const name of names) queue.push(work(name));
  return queue;
}

/** `t1`: a token of sequence 1; `p2`: a piece of a prompt of sequence 2. */
function work(name: string): Named {
  return { kind: name.startsWith('t') ? 'token' : 'prompt', sequence: Number(name[1]), name };
}

function takeAll(queue: ReturnType<typeof queueOf>): string[] {
  const taken: string[] = [];
  for (let next = queue.take(); next.length > 0; next = queue.take())
    taken.push(next.map(({ name }) => name).join(' '));
  return taken;
}

describe('a stage queue', () => {
  it('takes tokens of different sequences together, as many as fit', () => {
    expect(takeAll(queueOf(3, 't1', 't2', 't3', 't4'))).toEqual(['t1 t2 t3', 't4']);
  });

  it('takes one piece of a prompt between two rounds of tokens', () => {
    const queue = queueOf(2, 'p3a', 'p3b', 'p3c', 't1', 't2');
    expect(queue.take().map(({ name }) => name)).toEqual(['t1', 't2']);
    queue.push(work('t1'));
    expect(queue.take().map(({ name }) => name)).toEqual(['p3a']);
    expect(queue.take().map(({ name }) => name)).toEqual(['t1']);
    expect(takeAll(queue)).toEqual(['p3b', 'p3c']);
  });

  it('keeps two steps of one sequence apart', () => {
    expect(takeAll(queueOf(8, 't1a', 't2a', 't1b'))).toEqual(['t1a t2a', 't1b']);
  });

  it('leaves a step behind its own prompt', () => {
    expect(takeAll(queueOf(8, 'p1a', 't1', 't2'))).toEqual(['t2', 'p1a', 't1']);
  });

  it('loses nothing, and never turns the work of one sequence round', () => {
    const name = fc
      .tuple(fc.constantFrom('t', 'p'), fc.integer({ min: 1, max: 3 }))
      .map(([kind, sequence]) => `${kind}${sequence}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(name, fc.constant('take')), { maxLength: 40 }), (steps) => {
        const queue = createStageQueue<Named>(() => 2);
        const pushed: string[] = [];
        const taken: string[] = [];
        const take = (): number => {
          const batch = queue.take();
          taken.push(...batch.map((each) => each.name));
          return batch.length;
        };
        steps.forEach((step, index) => {
          if (step === 'take') take();
          else {
            pushed.push(`${step}#${index}`);
            queue.push(work(`${step}#${index}`));
          }
        });
        while (take() > 0);
        for (const sequence of ['1', '2', '3']) {
          const own = (each: string): boolean => each[1] === sequence;
          expect(taken.filter(own)).toEqual(pushed.filter(own));
        }
      }),
    );
  });
});
