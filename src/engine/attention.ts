/**
 * Adds causal attention with grouped queries and rotary positions to a graph. ONNX Runtime has one operator
 * for it (com.microsoft.GroupQueryAttention), which also reads and extends a sequence's KV cache.
 */
import type { ModelConfig } from '../model/config.ts';
import type { RotaryFigures } from '../model/rotary/rotary-frequencies.ts';
import { traitsOf } from '../model/traits.ts';
import { createGraph, type ComposedGraph, type Graph, type Value } from './onnx/graph.ts';
import { rotaryTables } from './rotary.ts';

/** Queries, keys and values of [1, tokens, heads * head_dim], concatenated in one value or separate. */
export type Projections = { packed: Value } | { q: Value; k: Value; v: Value };

export interface AttentionFigures {
  config: ModelConfig;
  contextLength: number;
}

/** How a block attends, in models whose blocks differ in it. */
export interface AttentionPattern {
  /** The number of positions that each one attends to, itself included; Infinity for all. */
  window: number;
  /** `local` uses the rotary base of blocks with a window; `none` leaves queries and keys as they are. */
  rotary: 'global' | 'local' | 'none';
}

export const everywhere: AttentionPattern = { window: Infinity, rotary: 'global' };

/** What distinguishes the attention of blocks. */
export interface AttentionKind extends AttentionPattern {
  packed: boolean;
}

/** Names under which the KV cache of the `index`-th sequence of a graph is bound. */
export function kvNames(index: number): Record<'pastKey' | 'pastValue' | 'key' | 'value', string> {
  return {
    pastKey: `past_key_${index}`,
    pastValue: `past_value_${index}`,
    key: `present_key_${index}`,
    value: `present_value_${index}`,
  };
}

/** Names of a graph's int32 inputs with one entry for each sequence: its length after the run, and that minus one. */
export const lengthNames = { total: 'total_length', last: 'last_position' } as const;

/**
 * Adds attention for each of these sequences, with the graph inputs and outputs that it needs. A graph for
 * one sequence also takes several with one new position each, if their caches are in one tensor. Then
 * `lengthNames.last` has one entry for each sequence, and `lengthNames.total` is the greatest length.
 */
export function addAttention(
  graph: Graph,
  figures: AttentionFigures,
  sequences: Projections[],
  { window, rotary }: AttentionPattern,
): Value[] {
  const { config, contextLength } = figures;
  const angles = rotary === 'none' ? [] : addRotaryTables(graph, figures, rotary);
  const count = sequences.length;
  const totals = graph.split(graph.input(lengthNames.total, 'int32', [count]), 0, count);
  // Either one cache tensor for all sequences of a run, or one for each.
  const [batch, lengths] = count === 1 ? ['batch', 'batch'] : [1, count];
  const lasts = graph.split(graph.input(lengthNames.last, 'int32', [lengths]), 0, count);
  return sequences.map((qkv, index) => {
    const names = kvNames(index);
    const shape = (length: string) => [batch, config.num_key_value_heads, length, config.head_dim];
    const past = `past_${index}`;
    const pastKey = graph.input(names.pastKey, 'float32', shape(past));
    const pastValue = graph.input(names.pastValue, 'float32', shape(past));
    const projections = 'packed' in qkv ? [qkv.packed, null, null] : [qkv.q, qkv.k, qkv.v];
    const [attended, key, value] = graph.nodeWith(
      'GroupQueryAttention',
      [...projections, pastKey, pastValue, lasts[index], totals[index], ...angles],
      [`attended_${index}`, names.key, names.value],
      {
        domain: 'com.microsoft',
        attributes: {
          num_heads: config.num_attention_heads,
          kv_num_heads: config.num_key_value_heads,
          do_rotary: rotary === 'none' ? 0 : 1,
          ...(window < contextLength && { local_window_size: window }),
          ...scoreAttributes(config),
        },
      },
    );
    for (const present of [key, value]) graph.output(present, 'float32', shape(`total_${index}`));
    return attended;
  });
}

/** cos and sin of the angles of every position. */
function addRotaryTables(
  graph: Graph,
  { config, contextLength }: AttentionFigures,
  rotary: 'global' | 'local',
): Value[] {
  const tables = rotaryTables(rotatedBy(config, rotary), contextLength);
  return [
    graph.constant('rotary.cos', 'float32', tables.shape, tables.cos),
    graph.constant('rotary.sin', 'float32', tables.shape, tables.sin),
  ];
}

/** The settings of a block's rotary positions. */
function rotatedBy(config: ModelConfig, rotary: 'global' | 'local'): RotaryFigures {
  const { rope_local_base_freq: localBase } = config;
  return rotary === 'local' && localBase
    ? { ...config, rope_theta: localBase, rope_scaling: null }
    : config;
}

/** Without these attributes scores are q·k / √head_dim, without a bound. */
function scoreAttributes(config: ModelConfig): Record<string, { float: number }> {
  const { scalesScores, hasMultipliers } = traitsOf(config);
  const { query_pre_attn_scalar: scalar, attn_logit_softcapping: bound } = config;
  const { attention_multiplier: multiplier } = config;
  return {
    ...(scalesScores && scalar && { scale: { float: scalar ** -0.5 } }),
    ...(hasMultipliers && multiplier && { scale: { float: multiplier } }),
    ...(scalesScores && bound && { softcap: { float: bound } }),
  };
}

/** Names of the inputs that carry projections. */
export const projectionNames = { packed: ['packed'], apart: ['q', 'k', 'v'] } as const;

/**
 * A graph of attention alone, without weights: over all positions of one sequence, or one position of each of
 * several. Projections and result are [sequences, tokens, width].
 */
export function composeAttention(
  figures: AttentionFigures,
  kind: AttentionKind,
  sequences: number,
): ComposedGraph & { result: string } {
  const graph = createGraph('attention');
  const names = kind.packed ? projectionNames.packed : projectionNames.apart;
  const split = names.map((name) =>
    graph.split(graph.input(name, 'float32', [sequences, 'tokens', `${name}_width`]), 0, sequences),
  );
  const each = Array.from({ length: sequences }, (_, index): Projections => {
    const [first, k, v] = split.map((parts) => parts[index]);
    return kind.packed ? { packed: first } : { q: first, k, v };
  });
  const result = graph.concat(addAttention(graph, figures, each, kind), 0);
  graph.output(result, 'float32', [sequences, 'tokens', 'width']);
  return { ...graph.compose(), result: result.name };
}
