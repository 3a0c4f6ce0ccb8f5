/**
 * The schema of the partition problem: layers in order, devices, directed links, and the layers pinned to the
 * source. Times are in milliseconds, sizes in bytes, bandwidth in megabits per second.
 */
import * as v from 'valibot';
import { isEarlier, underEarlierNames, underTodaysNames } from './earlier-problem.ts';

/** A problem that cannot be read; `message` is one line that names the field. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
}

const amount = v.pipe(
  v.number('must be a number'),
  v.finite('must be finite'),
  v.minValue(0, 'must not be negative'),
);
const byteCount = v.pipe(amount, v.maxValue(2 ** 53, 'must be below 2^53'));
const whole = v.pipe(amount, v.integer('must be a whole number'));
const positiveWhole = v.pipe(whole, v.minValue(1, 'must be at least 1'));
const deviceId = v.pipe(
  v.string('must be a string'),
  v.minLength(1, 'must not be empty'),
  v.maxLength(256, 'must be at most 256 characters'),
);

/** The most devices, with all counts added: each device costs work. */
const mostDevices = 100_000;

const LayerSchema = v.object({
  name: v.string('must be a string'),
  memoryBytes: byteCount,
  /** Bytes sent over a link after this layer; those of the last layer return to the source. */
  outputBytes: byteCount,
  /** Only a `block` has a KV cache. Without `kind`, every layer is a block unless its name is `embed` or `head`. */
  kind: v.optional(v.picklist(['embed', 'block', 'head'], 'must be embed, block or head')),
});

const DeviceSchema = v.object({
  id: deviceId,
  memoryBytes: byteCount,
  /** Decode time of each layer, ms a token. */
  layerMs: v.array(amount, 'must be an array with one number a layer'),
  /** The number of equal devices; a plan names them `id#1` … `id#count`. */
  count: v.optional(
    v.pipe(positiveWhole, v.maxValue(mostDevices, `must be at most ${mostDevices}`)),
  ),
  /** Layers that it already has loaded. */
  loaded: v.optional(v.array(whole, 'must be an array of layer numbers')),
  /** Layer times, ms, for a whole micro-batch, by its size. */
  layerMsByBatch: v.optional(
    v.record(
      v.pipe(v.string(), v.regex(/^[1-9]\d{0,5}$/, 'must be keyed by a whole batch size')),
      v.array(amount, 'must be an array with one number a layer'),
      'must be an object keyed by batch size',
    ),
  ),
  /** Prefill time of each layer, ms a prompt token; `layerMs` if absent. */
  prefillLayerMs: v.optional(v.array(amount, 'must be an array with one number a layer')),
});

const LinkSchema = v.object({
  from: deviceId,
  to: deviceId,
  latencyMs: amount,
  mbps: v.pipe(amount, v.gtValue(0, 'must be above 0')),
  /** The latency that nine of ten messages stay below; `latencyMs` if absent. */
  p90LatencyMs: v.optional(amount),
  /** Ms that every message costs besides the link, at both ends together. */
  hopMs: v.optional(amount),
});

export const ProblemSchema = v.object({
  layers: v.pipe(v.array(LayerSchema, 'must be an array'), v.minLength(1, 'must not be empty')),
  devices: v.pipe(v.array(DeviceSchema, 'must be an array'), v.minLength(1, 'must not be empty')),
  /** Directed; a pair that is not listed has no link. */
  links: v.array(LinkSchema, 'must be an array'),
  source: deviceId,
  /** The number of layers at either end that must stay on the source. */
  pin: v.object({ first: whole, last: whole }, 'must be an object with first and last'),
  /** Memory that each of these layers includes, and that a device with several of them needs once. */
  shared: v.optional(
    v.array(
      v.object({
        layers: v.pipe(
          v.array(whole, 'must be an array of layer numbers'),
          v.minLength(2, 'must name at least two layers'),
        ),
        memoryBytes: byteCount,
      }),
      'must be an array',
    ),
  ),
  /** KV cache of one block for one token of one sequence. */
  kvBytesPerToken: v.optional(byteCount),
  context: v.optional(positiveWhole),
  sequences: v.optional(positiveWhole),
  /** Of plans within this ratio of the best, the one that loads the fewest bytes is chosen. */
  switching: v.optional(v.object({ toleranceRatio: amount }, 'must be an object')),
  request: v.optional(
    v.object({ prompt: positiveWhole, generate: positiveWhole }, 'must be an object'),
  ),
});

export type Problem = v.InferOutput<typeof ProblemSchema>;
export type Layer = Problem['layers'][number];
export type Device = Problem['devices'][number];
export type Link = Problem['links'][number];

/**
 * Checks a problem from outside.
 *
 * @throws {ProblemError} with one line that names the field, such as `devices[1].layerMs must have 34
 *   numbers, one a layer, not 33`.
 */
export function parseProblem(input: unknown): Problem {
  if (!isEarlier(input)) return parseTodays(input);
  try {
    return parseTodays(underTodaysNames(input));
  } catch (error) {
    throw error instanceof ProblemError
      ? new ProblemError(underEarlierNames(error.message))
      : error;
  }
}

function parseTodays(input: unknown): Problem {
  const result = v.safeParse(ProblemSchema, input, { abortEarly: true });
  if (!result.success) {
    const issue = result.issues[0];
    const field = fieldName(v.getDotPath(issue));
    const missing = issue.received === 'undefined';
    throw new ProblemError(missing ? `${field} is missing` : `${field} ${sentence(issue)}`);
  }
  const fault = findFault(result.output);
  if (fault !== null) throw new ProblemError(fault);
  return result.output;
}

/** `devices.1.layerMs` as people write it: `devices[1].layerMs`. */
function fieldName(dotPath: string | null): string {
  return dotPath === null ? 'the problem' : dotPath.replace(/\.(\d+)(?=\.|$)/g, '[$1]');
}

function sentence(issue: v.BaseIssue<unknown>): string {
  const said = issue.message.startsWith('must') ? issue.message : 'must be an object';
  return `${said}, not ${issue.received}`;
}

/** Finds fields that do not agree with each other, which a schema cannot check. */
function findFault(problem: Problem): string | null {
  const layerCount = problem.layers.length;
  return (
    findDeviceFault(problem, layerCount) ??
    findLinkFault(problem) ??
    findPinFault(problem, layerCount) ??
    findSharedFault(problem, layerCount)
  );
}

function findDeviceFault({ devices }: Problem, layerCount: number): string | null {
  const total = devices.reduce((sum, { count = 1 }) => sum + count, 0);
  if (total > mostDevices) return `devices must be at most ${mostDevices} in all, not ${total}`;
  const names = new Set<string>();
  for (const [index, device] of devices.entries()) {
    const field = `devices[${index}]`;
    for (const [name, times] of [
      ['layerMs', device.layerMs] as const,
      ['prefillLayerMs', device.prefillLayerMs] as const,
      ...Object.entries(device.layerMsByBatch ?? {}).map(
        ([size, batch]) => [`layerMsByBatch.${size}`, batch] as const,
      ),
    ])
      if (times !== undefined && times.length !== layerCount)
        return `${field}.${name} must have ${layerCount} numbers, one a layer, not ${times.length}`;
    const outside = device.loaded?.find((layer) => layer >= layerCount);
    if (outside !== undefined)
      return `${field}.loaded must name layers below ${layerCount}, not ${outside}`;
    for (const name of memberIds(device)) {
      if (names.has(name)) return `${field}.id must be unique, but "${name}" is there twice`;
      names.add(name);
    }
  }
  return null;
}

function findLinkFault({ devices, links }: Problem): string | null {
  const counts = new Map(devices.map((device) => [device.id, device.count ?? 1]));
  const seen = new Set<string>();
  for (const [index, link] of links.entries()) {
    for (const end of ['from', 'to'] as const)
      if (!counts.has(link[end]))
        return `links[${index}].${end} must name a device, not "${link[end]}"`;
    if (link.from === link.to && counts.get(link.from) === 1)
      return `links[${index}].to must be another device than links[${index}].from ("${link.from}")`;
    const pair = JSON.stringify([link.from, link.to]);
    if (seen.has(pair)) return `links[${index}] repeats the link ${link.from} → ${link.to}`;
    seen.add(pair);
  }
  return null;
}

function findPinFault({ devices, source, pin }: Problem, layerCount: number): string | null {
  const device = devices.find(({ id }) => id === source);
  if (device === undefined) return `source must name a device, not "${source}"`;
  if ((device.count ?? 1) > 1) return `source must be a single device, not one with a count`;
  if (pin.first + pin.last > layerCount)
    return `pin.first and pin.last must add up to at most ${layerCount}, the number of layers, not ${pin.first + pin.last}`;
  return null;
}

function findSharedFault({ layers, shared = [] }: Problem, layerCount: number): string | null {
  const seen = new Set<number>();
  for (const [index, group] of shared.entries())
    for (const layer of group.layers) {
      const field = `shared[${index}]`;
      if (layer >= layerCount)
        return `${field}.layers must name layers below ${layerCount}, not ${layer}`;
      if (seen.has(layer)) return `${field}.layers must not repeat layer ${layer}`;
      seen.add(layer);
      if (group.memoryBytes > layers[layer].memoryBytes)
        return `${field}.memoryBytes must be part of layer ${layer}'s ${layers[layer].memoryBytes} bytes, not ${group.memoryBytes}`;
    }
  return null;
}

/** The names in a plan of the devices that an entry of `devices` stands for. */
export function memberIds(device: Device): string[] {
  const count = device.count ?? 1;
  if (count === 1) return [device.id];
  return Array.from({ length: count }, (_, member) => `${device.id}#${member + 1}`);
}
