import type { AskRequest } from '../../room/index.ts';

export interface SamplingSettings {
  greedy: boolean;
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  repetitionPenalty: number;
  /** Empty: a fresh one for every answer. */
  seed: number | null;
  maxNewTokens: number;
}

export type NumberSetting = Exclude<keyof SamplingSettings, 'greedy' | 'seed'>;

/** Bounds of each number, for the form's fields and for reading them. */
export const bounds: Record<NumberSetting, { least: number; most: number; step: number }> = {
  temperature: { least: 0, most: 5, step: 0.05 },
  topK: { least: 0, most: 1000, step: 1 },
  topP: { least: 0.01, most: 1, step: 0.01 },
  minP: { least: 0, most: 1, step: 0.01 },
  repetitionPenalty: { least: 0.5, most: 2, step: 0.01 },
  maxNewTokens: { least: 1, most: 4096, step: 1 },
};

export const initialSettings: SamplingSettings = {
  greedy: false,
  temperature: 0.8,
  topK: 0,
  topP: 0.9,
  minP: 0,
  repetitionPenalty: 1,
  seed: null,
  maxNewTokens: 200,
};

/** The request for a typed prompt. Numbers outside their bounds, or left empty, are brought back inside. */
export function requestFor(text: string, settings: SamplingSettings): AskRequest {
  const value = (name: NumberSetting): number => bounded(settings[name], name);
  return {
    prompt: { kind: 'text', text },
    sampling: {
      temperature: settings.greedy ? 0 : value('temperature'),
      topK: Math.round(value('topK')),
      topP: value('topP'),
      minP: value('minP'),
      repetitionPenalty: value('repetitionPenalty'),
      seed: settings.seed === null ? null : Math.trunc(settings.seed) >>> 0,
    },
    maxNewTokens: Math.round(value('maxNewTokens')),
    topLogits: 0,
  };
}

/** A number field that is emptied gives null. */
function bounded(value: number | null, name: NumberSetting): number {
  const { least, most } = bounds[name];
  if (value === null || Number.isNaN(value)) return initialSettings[name];
  return Math.min(most, Math.max(least, value));
}
