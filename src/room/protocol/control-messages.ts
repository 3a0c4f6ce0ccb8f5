/**
 * Every message of a room's control channels, in both directions: one schema each, validated where it
 * enters and trusted after that. Hidden states travel as frames, not here.
 */
import * as v from 'valibot';

/** Raised when two versions could misunderstand each other; a link refuses a different one. */
export const roomProtocolVersion = 4;

const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 50));
const positiveCount = v.pipe(count, v.minValue(1));
const planVersion = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 32 - 1));
const layer = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1025));
const ms = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1e7));
const deviceId = v.pipe(v.string(), v.regex(/^(host|[a-z]{1,3})$/));
const peerId = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const sentence = v.pipe(v.string(), v.maxLength(500));
const weights = v.picklist(['f32', 'f16', 'q8', 'q4']);
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const backend = v.picklist(['webgpu', 'wasm']);

/** A layer of 3.5 GB, in pieces of 4 MiB; its hashes fit one message. */
const maxPiecesOfLayer = 840;

const boundary = { planVersion, sequence: count, stage: layer };
const LayerRangeSchema = v.pipe(
  v.object({ first: layer, last: layer }),
  v.check((range) => range.first <= range.last, 'a range must not end before it starts'),
);

const StageSchema = v.pipe(
  v.object({ device: deviceId, first: layer, last: layer }),
  v.check((stage) => stage.first <= stage.last, 'a stage must not end before it starts'),
);

const RebuildLegSchema = v.object({ device: deviceId, first: layer, last: layer, cache: count });

const ComputeProfileSchema = v.object({
  backend,
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
  v.object({
    kind: v.literal('measuring'),
    fraction: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  }),
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

const AnswerStatusSchema = v.variant('kind', [
  v.object({ kind: v.literal('awaiting-approval') }),
  v.object({ kind: v.literal('queued'), place: count }),
  v.object({ kind: v.literal('reading'), tokensRead: count }),
  v.object({ kind: v.literal('writing') }),
  v.object({ kind: v.literal('paused'), reason: sentence }),
  v.object({ kind: v.literal('done'), because: v.picklist(['end', 'length', 'stopped']) }),
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

/** How much worse than it is a link may be made. */
export const EmulationSchema = v.object({
  delayMs: v.pipe(ms, v.maxValue(10_000)),
  jitterMs: v.pipe(ms, v.maxValue(10_000)),
  lossRate: share,
  mbps: v.exactOptional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(1e6))),
});

const ModelAddressSchema = v.variant('kind', [
  v.object({
    kind: v.literal('shards'),
    /** Absolute, or relative to the page, which every device of the room has loaded from the same server. */
    manifestUrl: v.pipe(v.string(), v.minLength(1), v.maxLength(2048)),
    sha256,
  }),
  v.object({
    kind: v.literal('given'),
    sha256,
    baseUrl: v.nullable(v.pipe(v.string(), v.url(), v.maxLength(2048))),
  }),
]);

export const HostMessageSchema = v.variant('kind', [
  /** The host is asked to let this device in; `welcome` or `ended` follows. */
  v.object({ kind: v.literal('knocking') }),
  /** Who you are here, and which model this room runs. */
  v.object({
    kind: v.literal('welcome'),
    deviceId,
    model: ModelAddressSchema,
    weights: v.picklist(['auto', 'f32', 'f16', 'q8', 'q4']),
    wire: v.picklist(['f16', 'f32']),
    maxBatch: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64)),
    contextLength: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 24)),
  }),
  /** Another device of the room: dial it, or let it in when it dials, if it proves this fingerprint. */
  v.object({
    kind: v.literal('connect'),
    deviceId,
    peerId,
    fingerprint: sha256,
    dial: v.boolean(),
  }),
  v.object({ kind: v.literal('measure-link'), deviceId }),
  /** Load the layers that this lap gives you; other layers go before (`dropFirst`), or with `keep-laps`. */
  v.object({
    kind: v.literal('deploy'),
    planVersion,
    stages: v.pipe(v.array(StageSchema), v.minLength(1), v.maxLength(2048)),
    /** For this device's screen: what the plan predicts, and why it was chosen. */
    lapMs: ms,
    why: sentence,
    dropFirst: v.boolean(),
  }),
  /** Which devices keep a layer that this one is to load, and the hashes of its pieces where they are known. */
  v.object({
    kind: v.literal('layer-sources'),
    layer,
    devices: v.pipe(v.array(deviceId), v.maxLength(64)),
    sha256: v.pipe(v.array(sha256), v.maxLength(maxPiecesOfLayer)),
  }),
  /** The laps that are in use from now on, the newest last: layers and frames of all others may go. */
  v.object({
    kind: v.literal('keep-laps'),
    planVersions: v.pipe(v.array(planVersion), v.minLength(1), v.maxLength(64)),
  }),
  v.object({ kind: v.literal('release'), sequence: count }),
  /** Each other device may open so many sequences on this one's stages at a time; work on more is refused. */
  v.object({ kind: v.literal('most-sequences'), most: v.pipe(positiveCount, v.maxValue(256)) }),
  /** Of all sequences up to `upTo`, the last one begun, these are in use: whatever others are open here is released. */
  v.object({
    kind: v.literal('keep-sequences'),
    sequences: v.pipe(v.array(count), v.maxLength(1024)),
    upTo: count,
  }),
  /** Layers to keep at hand in case another device leaves: loaded, or only fetched, while no plan needs more. */
  v.object({
    kind: v.literal('keep-standby'),
    layers: v.pipe(v.array(layer), v.maxLength(1026)),
    isLoaded: v.boolean(),
  }),
  /** Take the frames of this cache rebuild and say so; a `release` of its number ends it. */
  v.object({
    kind: v.literal('rebuild-cache'),
    planVersion,
    sequence: count,
    fills: count,
    source: deviceId,
    isAlone: v.boolean(),
    stages: v.pipe(v.array(RebuildLegSchema), v.minLength(1), v.maxLength(2048)),
  }),
  /** Send these positions of the hidden states that you kept into that cache rebuild. */
  v.object({ kind: v.literal('replay'), sequence: count, position: count, tokens: positiveCount }),
  /** Whether this device's person may ask. */
  v.object({ kind: v.literal('asking'), mode: v.picklist(['off', 'approve', 'open']) }),
  /** How a question of this device's person is getting on; `added` continues the text. */
  v.object({
    kind: v.literal('answer'),
    request: count,
    added: v.pipe(v.string(), v.maxLength(32_768)),
    status: AnswerStatusSchema,
    promptTokens: count,
    newTokens: count,
    ttftMs: v.nullable(ms),
    msPerToken: v.nullable(ms),
    predictedMsPerToken: ms,
  }),
  /** Laps have shown this device to be slower than it was: it is to measure itself anew. */
  v.object({ kind: v.literal('measure-again') }),
  v.object({ kind: v.literal('left'), deviceId }),
  /** Run the layers that you hold on the model's golden states once more, and say `proved` or `disproved`. */
  v.object({ kind: v.literal('prove-again') }),
  /** How far is this sequence on your stages? The answer is `progress`. */
  v.object({ kind: v.literal('report-progress'), planVersion, sequence: count }),
  /** Keep what crosses into this stage for the sequence, and show it when asked: see `boundary-tap.ts`. */
  v.object({ kind: v.literal('tap-boundary'), ...boundary }),
  v.object({ kind: v.literal('report-boundary'), ...boundary }),
  /** For every screen of the room. */
  v.object({ kind: v.literal('notice'), text: sentence }),
  /** That device's links are slowed down, for an experiment; null lifts it. */
  v.object({ kind: v.literal('emulate'), deviceId, emulation: v.nullable(EmulationSchema) }),
  /** This device's part is over for good: the room was closed, or the host removed it. */
  v.object({ kind: v.literal('ended'), reason: sentence }),
]);

export const DeviceMessageSchema = v.variant('kind', [
  v.object({ kind: v.literal('hello'), label: v.pipe(v.string(), v.maxLength(80)) }),
  v.object({
    kind: v.literal('status'),
    status: DeviceStatusSchema,
    usedBytes: count,
    bytesLoaded: count,
  }),
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
  /** Its page was hidden, or is in sight again. */
  v.object({ kind: v.literal('visibility'), isHidden: v.boolean() }),
  v.object({ kind: v.literal('budget'), budgetBytes: count }),
  /** A question, numbered by this device; and the wish that its answer end. */
  v.object({
    kind: v.literal('ask'),
    request: count,
    text: v.pipe(v.string(), v.minLength(1), v.maxLength(20_000)),
    maxNewTokens: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 20)),
    sampling: SamplingSchema,
  }),
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
  v.object({ kind: v.literal('connected'), deviceId, reached: v.boolean() }),
  /** This device keeps a layer's pieces and can pass them on; their hashes, in order. */
  v.object({
    kind: v.literal('keeps-layer'),
    layer,
    sha256: v.pipe(v.array(sha256), v.maxLength(maxPiecesOfLayer)),
  }),
  /** A device gave this one bytes, for this piece of the model, that do not match their hash. */
  v.object({
    kind: v.literal('weights-disputed'),
    deviceId,
    file: count,
    offset: count,
    bytes: positiveCount,
  }),
  v.object({ kind: v.literal('ready'), planVersion }),
  v.object({ kind: v.literal('unable'), planVersion, reason: sentence }),
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
  v.object({
    kind: v.literal('progress'),
    planVersion,
    sequence: count,
    stages: v.pipe(
      v.array(v.object({ stage: layer, taken: count, given: count })),
      v.maxLength(256),
    ),
  }),
  v.object({ kind: v.literal('proved') }),
  v.object({ kind: v.literal('disproved'), reason: sentence }),
]);

export type HostMessage = v.InferOutput<typeof HostMessageSchema>;
export type DeviceMessage = v.InferOutput<typeof DeviceMessageSchema>;
export type MeasuredLink = v.InferOutput<typeof LinkProfileSchema>;

/** Throws one sentence that names the message and the field. */
export function parseHostMessage(message: unknown): HostMessage {
  return parsed(HostMessageSchema, message, 'host');
}

export function parseDeviceMessage(message: unknown): DeviceMessage {
  return parsed(DeviceMessageSchema, message, 'device');
}

function parsed<S extends v.GenericSchema>(
  schema: S,
  message: unknown,
  sender: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, message);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? 'message';
  throw new Error(`a message of the ${sender} is not valid: ${field}: ${issue.message}`);
}
