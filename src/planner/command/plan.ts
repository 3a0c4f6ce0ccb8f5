/**
 * `npm run --silent plan -- FILE|- [options]`: solves the problem in FILE (or standard input) and prints the
 * plan as one line of JSON. A file with one problem a line gets one plan a line.
 */
import { errorMessage } from '../../base/error-message.ts';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  methods,
  objectives,
  parseProblem,
  ProblemError,
  solve,
  type SolveOptions,
} from '../index.ts';

const usage =
  'usage: plan FILE|- [--objective latency|throughput|request] [--method exact|edgeshard|solo|best-single|even|two-device|proportional]' +
  ' [--time-limit-ms N] [--batch N] [--percentile p50|p90] [--prompt P --generate G]';

try {
  const { file, options } = readArguments(process.argv.slice(2));
  for (const { where, input } of readProblems(file))
    console.log(JSON.stringify(answer(where, input, options)));
} catch (error) {
  if (!(error instanceof ProblemError)) throw error;
  console.error(error.message.replace(/\s+/g, ' '));
  process.exitCode = 2;
}

function answer(where: string, input: unknown, options: SolveOptions) {
  try {
    return solve(parseProblem(input), options);
  } catch (error) {
    if (error instanceof ProblemError) throw new ProblemError(where + error.message);
    throw error;
  }
}

function readArguments(args: string[]): { file: string; options: SolveOptions } {
  const { values, positionals } = parse(args);
  const [file] = positionals;
  if (positionals.length !== 1) throw new ProblemError(usage);
  const { prompt, generate } = values;
  if ((prompt === undefined) !== (generate === undefined))
    throw new ProblemError('--prompt and --generate go together');
  const options: SolveOptions = {
    objective: oneOf('--objective', values.objective, objectives),
    method: oneOf('--method', values.method, methods),
    percentile: oneOf('--percentile', values.percentile, ['p50', 'p90']),
    timeLimitMs: numberOf('--time-limit-ms', values['time-limit-ms'], 0),
    batch: numberOf('--batch', values.batch, 1),
  };
  if (prompt !== undefined && generate !== undefined)
    options.request = {
      prompt: numberOf('--prompt', prompt, 1),
      generate: numberOf('--generate', generate, 1),
    };
  return { file, options };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        objective: { type: 'string', default: 'latency' },
        method: { type: 'string', default: 'exact' },
        percentile: { type: 'string', default: 'p50' },
        'time-limit-ms': { type: 'string', default: '2000' },
        batch: { type: 'string', default: '1' },
        prompt: { type: 'string' },
        generate: { type: 'string' },
      },
    });
  } catch (error) {
    throw new ProblemError(`${errorMessage(error)}; ${usage}`);
  }
}

function oneOf<Name extends string>(flag: string, given: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === given);
  if (found === undefined)
    throw new ProblemError(`${flag} must be one of ${names.join(', ')}, not ${given}`);
  return found;
}

function numberOf(flag: string, given: string, least: number): number {
  const value = Number(given);
  if (given.trim() === '' || !Number.isInteger(value) || value < least)
    throw new ProblemError(`${flag} must be a whole number from ${least} on, not ${given}`);
  return value;
}

/** One problem, or one a line. A line may also have its problem under `problem`, beside other fields. */
function* readProblems(file: string): Generator<{ where: string; input: unknown }> {
  const text = readText(file);
  const whole = parseJson(text);
  if (whole.ok) {
    yield { where: '', input: unwrap(whole.value) };
    return;
  }
  const lines = text.split('\n');
  const many = file.endsWith('.jsonl') || lines.some((line) => parseJson(line).ok);
  if (!many) throw new ProblemError(`${nameOf(file)} is not JSON: ${whole.fault}`);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const parsed = parseJson(line);
    if (!parsed.ok) throw new ProblemError(`line ${index + 1} is not JSON: ${parsed.fault}`);
    yield { where: `line ${index + 1}: `, input: unwrap(parsed.value) };
  }
}

function unwrap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return 'problem' in value && !('layers' in value) ? value.problem : value;
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; fault: string } {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, fault: errorMessage(error) };
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const fault = errorMessage(error);
    throw new ProblemError(`${nameOf(file)} cannot be read: ${fault}`);
  }
}

function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}
