import { beforeEach, describe, expect, it } from 'vitest';
import {
  type BulkMessage,
  decodeBulk,
  dispatch,
  encodeBulk,
  parseHostMessage,
  unaskedBulk,
} from '../../protocol/index.ts';
import type { Job } from '../../compute/recompute.ts';
import { createBoundaryTap, type BoundaryTap } from '../../stage/boundary-tap.ts';
import { createBoundaryReport, type BoundaryReport } from './boundary-report.ts';

const hiddenSize = 2;
let boundaryTap: BoundaryTap;
let boundaryReport: BoundaryReport;
let sent: BulkMessage[];
let jobs: Job[];

beforeEach(() => {
  boundaryTap = createBoundaryTap(4 * hiddenSize);
  sent = [];
  jobs = [];
  boundaryReport = createBoundaryReport({
    boundaryTap,
    hiddenSize,
    lastBlock: 5,
    device: {
      recompute(job) {
        jobs.push(job);
        return Promise.resolve(job.input.map((value) => 2 * value));
      },
    },
    peers: {
      sendBulk(to, message) {
        expect(to).toBe('host');
        sent.push(decodeBulk(new Uint8Array(message)));
        return Promise.resolve();
      },
    },
    signal: new AbortController().signal,
  });
});

describe('a neighbour', () => {
  /** As it comes from the host. */
  const show = parseHostMessage({ kind: 'report-boundary', planVersion: 1, sequence: 2, stage: 3 });

  function asked(): void {
    if (show.kind === 'report-boundary') boundaryReport.handlers['report-boundary'](show);
  }

  it('shows what it saw cross', () => {
    const { planVersion, sequence, stage } = { planVersion: 1, sequence: 2, stage: 3 };
    boundaryTap.watch({ planVersion, sequence, stage });
    boundaryTap.note(
      { planVersion, sequence, stage, step: 4 },
      Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    );
    asked();
    expect(sent.map(({ header }) => header)).toEqual([
      { kind: 'boundary-states', planVersion, sequence, stage, positions: [4] },
    ]);
    expect([...sent[0].body]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('says that it has seen nothing', () => {
    asked();
    expect(sent.map(({ header }) => header)).toMatchObject([
      { kind: 'boundary-states', positions: [] },
    ]);
  });
});

describe('a device that is to compute again', () => {
  function ask(
    from: string,
    change: { first?: number; last?: number } = {},
    values = [1, 2],
  ): void {
    const header = { kind: 'recompute', request: 7, first: 1, last: 5, weights: 'f32' } as const;
    const states = new Uint8Array(Float32Array.from(values).buffer);
    const message = decodeBulk(new Uint8Array(encodeBulk({ ...header, ...change }, states)));
    const handlers = { ...unaskedBulk, ...boundaryReport.bulkHandlers };
    dispatch(handlers, message.header, from, message.body);
  }

  it('answers with what the layers make of the states', async () => {
    ask('host');
    await expect.poll(() => sent.length).toBe(1);
    expect(jobs[0]).toMatchObject({ first: 1, last: 5, weights: 'f32' });
    expect(sent[0].header).toEqual({ kind: 'recomputed', request: 7 });
    expect([...new Float32Array(sent[0].body.slice().buffer)]).toEqual([2, 4]);
  });

  it.each<[string, () => void]>([
    ['somebody else than the host', () => ask('b')],
    ['the embedding', () => ask('host', { first: 0 })],
    ['the head', () => ask('host', { last: 6 })],
    ['layers that end before they start', () => ask('host', { first: 4, last: 3 })],
    ['half a state', () => ask('host', {}, [1])],
    ['no state', () => ask('host', {}, [])],
  ])('refuses %s', (_, asking) => {
    expect(asking).toThrow(/^(host|b) (may not ask this device|sent states of)/);
    expect(jobs).toEqual([]);
  });

  it('leaves other messages to others', () => {
    expect(Object.keys(boundaryReport.bulkHandlers)).toEqual(['recompute']);
  });
});
