/** What fits a device's memory budget: blocks, and the caches of sequences beside them. */
import type { Manifest } from '../../../../model/manifest.ts';
import { sequenceBytesPerBlock } from '../../../memory/index.ts';
import type { DeviceProfile, MeasuredMember, Member } from '../../membership/index.ts';
import { replayBudgetBytes } from '../../../replay/index.ts';

/** Sequences whose caches, at their longest, fit a device's budget beside these layers. */
export function sequencesThatFit(
  { profile, id }: Member,
  layers: readonly number[],
  manifest: Manifest,
  contextLength: number,
): number {
  if (!profile) return 1;
  const { blockBytes, embedBytes, headBytes } = profile.compute;
  const blocks = layers.filter((layer) => manifest.layers[layer].kind === 'block').length;
  if (blocks === 0) return Infinity;
  const ends = id === 'host' ? embedBytes + headBytes : 0;
  const free = computeBytes(profile) - ends - blocks * blockBytes;
  return Math.floor(free / (blocks * sequenceBytesPerBlock(manifest.config, contextLength)));
}

/** Blocks that a device can hold, each with the cache of one sequence. */
export function blocksThatFit(
  { id, profile }: MeasuredMember,
  manifest: Manifest,
  contextLength: number,
): number {
  const { blockBytes, embedBytes, headBytes } = profile.compute;
  const free = computeBytes(profile) - (id === 'host' ? embedBytes + headBytes : 0);
  return Math.floor(free / (blockBytes + sequenceBytesPerBlock(manifest.config, contextLength)));
}

/** What of a device's budget is for weights and caches. */
export function computeBytes({ budgetBytes }: DeviceProfile): number {
  return budgetBytes - replayBudgetBytes(budgetBytes);
}
