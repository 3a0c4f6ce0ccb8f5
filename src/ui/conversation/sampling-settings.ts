import type { AskRequest, ModelView } from '../../room/index.ts';

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
  /** What the model's template leaves open, by name; a name that is absent is as the model does by itself. */
  switches: Record<string, boolean>;
}

export type NumberSetting = Exclude<keyof SamplingSettings, 'greedy' | 'seed' | 'switches'>;

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
  switches: {},
};

/** What is set before a person changes anything: what the model's authors suggest, else the page's own. */
export function settingsFor(model: Pick<ModelView, 'sampling'> | null): SamplingSettings {
  const { temperature, ...numbers } = model?.sampling ?? {};
  const isGreedy = temperature === 0;
  return {
    ...initialSettings,
    switches: {},
    ...numbers,
    ...(temperature !== undefined && !isGreedy && { temperature }),
    greedy: isGreedy,
  };
}

/** @param value undefined to leave it to the model */
export function withSwitch(
  switches: Readonly<Record<string, boolean>>,
  name: string,
  value: boolean | undefined,
): Record<string, boolean> {
  const others = Object.fromEntries(Object.entries(switches).filter(([key]) => key !== name));
  return value === undefined ? others : { ...others, [name]: value };
}

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
    switches: { ...settings.switches },
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
