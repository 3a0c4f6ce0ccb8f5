import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorsCases } from '../fixtures/read.ts';

let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'plan-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function plan(args: string[], input = '') {
  const command = new URL('plan.ts', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', command, ...args],
    { input, encoding: 'utf8' },
  );
  const lines = stdout.trim().split('\n');
  return {
    status,
    stderr,
    answers: stdout === '' ? [] : lines.map((line) => JSON.parse(line) as object),
  };
}

describe('the plan command', () => {
  const problems = authorsCases().map(({ problem }) => problem);

  it('answers a file of many line by line', () => {
    const file = join(folder, 'rooms.jsonl');
    writeFileSync(
      file,
      problems
        .slice(0, 2)
        .map((each) => JSON.stringify(each))
        .join('\n'),
    );
    const { status, answers } = plan([file, '--method', 'edgeshard']);
    expect(status).toBe(0);
    expect(answers).toMatchObject([{ feasible: true, method: 'edgeshard' }, { feasible: true }]);
  });

  it('reads standard input', () => {
    const { answers } = plan(
      ['-', '--objective', 'throughput'],
      JSON.stringify(problems[0], null, 2),
    );
    expect(answers).toMatchObject([{ feasible: true, objective: 'throughput', optimal: true }]);
  });

  it('names what is wrong in one line and ends with 2', () => {
    const wrong = { ...problems[0], source: 'nobody' };
    const { status, stderr, answers } = plan(['-'], JSON.stringify(wrong));
    expect({ status, answers }).toEqual({ status: 2, answers: [] });
    expect(stderr.trim()).toBe('source must name a device, not "nobody"');
  });
});
