/** The messages of a device to the host: one schema each, checked where a message enters and trusted after that. */
import * as v from 'valibot';
import {
  count,
  deviceId,
  layer,
  ms,
  pieceHashes,
  planVersion,
  positiveCount,
  sentence,
  share,
  weights,
} from './fields.ts';
import { parsed } from './parse-message.ts';

const LayerRangeSchema = v.pipe(
  v.object({ first: layer, last: layer }),
  v.check((range) => range.first <= range.last, 'a range must not end before it starts'),
);

const ComputeProfileSchema = v.object({
  backend: v.picklist(['webgpu', 'wasm']),
  weights,
  embedMs: ms,
  blockMs: ms,
  headMs: ms,
  attendMs: ms,
  prefillBlockMs: ms,
  prefillChunk: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096)),
  embedBytes: count,
  blockBytes: count,
  headBytes: count,
});

const LinkProfileSchema = v.object({
  latencyMs: ms,
  p90LatencyMs: ms,
  mbps: v.pipe(v.number(), v.finite(), v.minValue(1e-6), v.maxValue(1e7)),
  /** It goes by way of the server's relay: there is no way straight from one to the other. */
  relayed: v.exactOptional(v.boolean()),
});

const DeviceStatusSchema = v.variant('kind', [
  v.object({ kind: v.literal('connecting') }),
  v.object({ kind: v.literal('preparing'), bytesLoaded: count, bytesTotal: count }),
  v.object({ kind: v.literal('measuring'), fraction: share }),
  v.object({
    kind: v.literal('standby'),
    ready: v.pipe(v.array(LayerRangeSchema), v.maxLength(1026)),
  }),
  v.object({ kind: v.literal('loading'), bytesLoaded: count, bytesTotal: count }),
  v.object({ kind: v.literal('ready') }),
  v.object({ kind: v.literal('computing') }),
  v.object({ kind: v.literal('reconnecting') }),
  v.object({ kind: v.literal('away') }),
  v.object({ kind: v.literal('failed'), reason: sentence }),
]);

const SamplingSchema = v.object({
  temperature: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
  topK: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1 << 20)),
  topP: share,
  minP: share,
  repetitionPenalty: v.pipe(v.number(), v.minValue(0.1), v.maxValue(10)),
  seed: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1))),
});

const SwitchSchema = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(40)),
  isOn: v.boolean(),
});

export const DeviceMessageSchema = v.variant('kind', [
  /** The first message: what a person would call this device. */
  v.object({ kind: v.literal('hello'), label: v.pipe(v.string(), v.maxLength(80)) }),
  /** What this device does at the moment, what its layers occupy, and what it has fetched. */
  v.object({
    kind: v.literal('status'),
    status: DeviceStatusSchema,
    usedBytes: count,
    bytesLoaded: count,
  }),
  /** What this device has measured of itself: ms and bytes for each kind of layer, and the memory that it lends. */
  v.object({
    kind: v.literal('profile'),
    adapter: v.pipe(v.string(), v.maxLength(120)),
    compute: ComputeProfileSchema,
    /** What one call into the engine's worker and back costs beside computing. */
    callMs: ms,
    budgetBytes: count,
    /** It computed wrongly before, and with what it computes now; null for a device that never did. */
    fellBack: v.nullable(sentence),
  }),
  /** The answer to `measure-again`; null from a device that computes just now. */
  v.object({ kind: v.literal('measured'), compute: v.nullable(ComputeProfileSchema) }),
  /** Its page was hidden, or is visible again. */
  v.object({ kind: v.literal('visibility'), isHidden: v.boolean() }),
  /** Its person lends another amount of memory from now on. */
  v.object({ kind: v.literal('budget'), budgetBytes: count }),
  /** A question of its person, numbered by this device. The answers are `answer`. */
  v.object({
    kind: v.literal('ask'),
    request: count,
    text: v.pipe(v.string(), v.minLength(1), v.maxLength(20_000)),
    maxNewTokens: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 20)),
    sampling: SamplingSchema,
    /** What the model's chat template leaves to whoever asks. Names that the template does not have count for nothing. */
    switches: v.exactOptional(v.pipe(v.array(SwitchSchema), v.maxLength(8))),
  }),
  /** The answer to that question is not wanted any more. */
  v.object({ kind: v.literal('stop'), request: count }),
  /**
   * A link to another device: measured, or impossible (`profile: null`). `fault` says how the other broke the rules,
   * where this device ended the link for that.
   */
  v.object({
    kind: v.literal('link'),
    deviceId,
    profile: v.nullable(LinkProfileSchema),
    fault: v.nullable(sentence),
  }),
  /** Whether the device that `connect` named was reached. */
  v.object({ kind: v.literal('connected'), deviceId, reached: v.boolean() }),
  /** This device keeps a layer's pieces and can pass them on; their hashes, in order. */
  v.object({
    kind: v.literal('keeps-layer'),
    layer,
    sha256: pieceHashes,
  }),
  /** A device gave this one bytes, for this piece of the model, that do not match their hash. */
  v.object({
    kind: v.literal('weights-disputed'),
    deviceId,
    file: count,
    offset: count,
    bytes: positiveCount,
  }),
  /** The layers that this plan gives it are loaded. */
  v.object({ kind: v.literal('ready'), planVersion }),
  /** It cannot load what this plan gives it, for this reason. */
  v.object({ kind: v.literal('unable'), planVersion, reason: sentence }),
  /** It takes the frames of that cache rebuild now. */
  v.object({ kind: v.literal('rebuild-ready'), sequence: count }),
  /** The hidden states that this device was to send again are not kept any more. */
  v.object({ kind: v.literal('replay-missing'), sequence: count }),
  /**
   * `blames` names the device whose fault it is: it sent what cannot be computed with (`state`), or asked for what this
   * device does not hold or has no room for (`request`). Null where this device itself failed (`own`).
   */
  v.object({
    kind: v.literal('stage-failed'),
    planVersion,
    sequence: count,
    reason: sentence,
    fault: v.picklist(['own', 'state', 'request']),
    blames: v.nullable(deviceId),
  }),
  /** The answer to `report-progress`: how many frames each of its stages took in and gave on. */
  v.object({
    kind: v.literal('progress'),
    planVersion,
    sequence: count,
    stages: v.pipe(
      v.array(v.object({ stage: layer, taken: count, given: count })),
      v.maxLength(256),
    ),
  }),
  /** Its layers came out right on the golden states. */
  v.object({ kind: v.literal('proved') }),
  /** A layer came out wrong on the golden states. */
  v.object({ kind: v.literal('disproved'), reason: sentence }),
]);

export type DeviceMessage = v.InferOutput<typeof DeviceMessageSchema>;
export type MeasuredLink = v.InferOutput<typeof LinkProfileSchema>;

/** Throws one sentence that names the field. */
export function parseDeviceMessage(message: unknown): DeviceMessage {
  return parsed(DeviceMessageSchema, message, 'device');
}
