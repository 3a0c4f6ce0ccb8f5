/**
 * What the page's address sets, for experiments and kiosks: `?backend=wasm&threads=1&memory=512MB`.
 *
 * | name       | values                               | for  |
 * | ---------- | ------------------------------------ | ---- |
 * | `backend`  | `auto`, `webgpu`, `wasm`             | both |
 * | `threads`  | 1 to 64 (wasm)                       | both |
 * | `memory`   | bytes with `MB` or `GB`: `512MB`     | both |
 * | `path`     | `any`, `relay`: by way of the server alone | both |
 * | `model`    | a model's name, as the server has it; or `owner/model` of a hub, or an address | host |
 * | `weights`  | `auto`, `f32`, `f16`, `q8`, `q4`     | host |
 * | `wire`     | `f16`, `f32`                         | host |
 * | `plan`     | `auto`, `even`, `host:0-3,a:4-6,host:7` | host |
 * | `chunk`    | prompt tokens per frame, 1 to 4096   | host |
 * | `context`  | longest conversation in tokens, 64 to 1048576 | host |
 * | `devices`  | most devices, the host included, 1 to 64 | host |
 * | `pipeline` | `no-bubbles`, `bubbles`              | host |
 * | `drafts`   | `on`, `off`: speculative tokens      | host |
 * | `asking`   | `off`, `approve`, `open`: visitors    | host |
 * | `door`     | `open`, `approve`, `locked`: who may join | host |
 * | `batch`    | most answers that share a pass over the weights, 1 to 16 | host |
 * | `inflight` | most answers at once, 1 to 64        | host |
 * | `expected` | devices the first plan waits for, the host included | host |
 * | `standby`  | `on`: idle devices keep layers ready; or `off` | host |
 *
 * `plan` names layers by number: 0 is the embedding, 1 and on are the blocks, the last is the head. An earlier name
 * for `standby` is read too: `spares`, which is `warm` or `cold`.
 *
 * Other names are left alone: links gather parameters on their way through mail and chat.
 */
import * as v from 'valibot';
import type { DeviceOptions, HostOptions } from '../room/index.ts';

const wholeNumber = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, 'a whole number'),
    v.transform(Number),
    v.minValue(least, `${least} at least`),
    v.maxValue(most, `${most} at most`),
  );

const memoryBytes = v.pipe(
  v.string(),
  v.regex(/^\d+(\.\d+)?\s?[MG]B$/i, 'a size like 512MB or 2GB'),
  v.transform((text) => parseFloat(text) * (/G/i.test(text) ? 1e9 : 1e6)),
  v.minValue(1e6, '1MB at least'),
  v.maxValue(1e12, '1000GB at most'),
);

/** `host:0-3,a:4-6,host:7` as the stages it names, by layer numbers. */
export const exactPlan = v.pipe(
  v.string(),
  v.regex(
    /^([a-z]+:\d{1,4}(-\d{1,4})?)(,[a-z]+:\d{1,4}(-\d{1,4})?)*$/,
    'like host:0-3,a:4-6,host:7',
  ),
  v.transform((text) => text.split(',').map(stageOf)),
  v.check((stages) => stages.every(({ first, last }) => first <= last), 'ranges that run forwards'),
);

const AddressSchema = v.object({
  backend: v.optional(v.picklist(['auto', 'webgpu', 'wasm'], 'auto, webgpu or wasm'), 'auto'),
  threads: v.optional(wholeNumber(1, 64)),
  memory: v.optional(memoryBytes),
  path: v.optional(v.picklist(['any', 'relay'], 'any or relay'), 'any'),
  model: v.optional(
    v.pipe(v.string(), v.minLength(1, 'a name'), v.maxLength(512, 'a shorter name')),
  ),
  weights: v.optional(
    v.picklist(['auto', 'f32', 'f16', 'q8', 'q4'], 'auto, f32, f16, q8 or q4'),
    'auto',
  ),
  wire: v.optional(v.picklist(['f16', 'f32'], 'f16 or f32'), 'f16'),
  plan: v.optional(v.union([v.literal('auto'), v.literal('even'), exactPlan]), 'auto'),
  chunk: v.optional(wholeNumber(1, 4096)),
  context: v.optional(wholeNumber(64, 1 << 20)),
  devices: v.optional(wholeNumber(1, 64), '16'),
  pipeline: v.optional(
    v.picklist(['no-bubbles', 'bubbles'], 'no-bubbles or bubbles'),
    'no-bubbles',
  ),
  drafts: v.optional(v.picklist(['on', 'off'], 'on or off'), 'on'),
  asking: v.optional(v.picklist(['off', 'approve', 'open'], 'off, approve or open'), 'approve'),
  door: v.optional(v.picklist(['open', 'approve', 'locked'], 'open, approve or locked'), 'open'),
  /** Past 16 a batch gains little and delays everyone. */
  batch: v.optional(wholeNumber(1, 16), '16'),
  inflight: v.optional(wholeNumber(1, 64)),
  expected: v.optional(wholeNumber(1, 64), '1'),
  standby: v.optional(v.picklist(['on', 'off'], 'on or off')),
  /** What `standby` was called in addresses that are still about. */
  spares: v.optional(v.picklist(['warm', 'cold'], 'warm or cold'), 'warm'),
});

export interface PageOptions {
  device: DeviceOptions;
  /** Everything a host needs but the model's address and its own. */
  host: Omit<HostOptions, 'model' | 'linkBaseUrl'>;
  modelName: string | null;
}

/** Reads `location.search`. Throws a one-sentence error that names the parameter. */
export function parsePageOptions(search: string): PageOptions {
  const given: Record<string, string> = Object.fromEntries(new URLSearchParams(search));
  const read = v.safeParse(AddressSchema, given);
  if (!read.success) throw new Error(complaint(read.issues[0], given));
  const { backend, threads, memory, model, weights, wire, plan, chunk } = read.output;
  const { standby, spares } = read.output;
  const device: DeviceOptions = {
    backend,
    threads: threads ?? null,
    memoryBudgetBytes: memory ?? null,
    relayOnly: read.output.path === 'relay',
  };
  return {
    device,
    host: {
      ...device,
      weights,
      wire,
      plan,
      asking: read.output.asking,
      door: read.output.door,
      pipeline: read.output.pipeline,
      speculation: read.output.drafts === 'on',
      maxBatch: read.output.batch,
      contextLength: read.output.context ?? null,
      maxInFlight: read.output.inflight ?? null,
      prefillChunk: chunk ?? null,
      maxDevices: read.output.devices,
      expectedDevices: read.output.expected,
      standby: (standby ?? (spares === 'warm' ? 'on' : 'off')) === 'on',
    },
    modelName: model ?? null,
  };
}

function complaint(issue: v.BaseIssue<unknown>, given: Record<string, string>): string {
  const name = String(issue.path?.[0].key);
  const wanted =
    name === 'plan'
      ? 'auto, even, or stages like host:0-3,a:4-6,host:7, where 0 is the embedding and the last number the head'
      : issue.message;
  return `This page's address says ${name}=${given[name]}, but ${name} must be ${wanted}. Correct the address and load it again.`;
}

function stageOf(text: string): { device: string; first: number; last: number } {
  const [device, layers] = text.split(':');
  const [first, last = first] = layers.split('-').map(Number);
  return { device, first, last };
}
