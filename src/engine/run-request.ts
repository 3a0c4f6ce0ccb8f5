/** Checks a run's request against this model and device before anything is computed. */
import type { ModelConfig } from '../model/config.ts';
import type { RunRequest } from './engine.ts';

export interface RunLimits {
  config: ModelConfig;
  contextLength: number;
}

/**
 * @returns the number of new positions
 * @throws Error if the layers, input, positions or `logitsOf` do not fit the model
 */
export function checkRequest(request: RunRequest, { config, contextLength }: RunLimits): number {
  const { first, last, position, input, logitsOf } = request;
  const headLayer = config.num_hidden_layers + 1;
  if (!(first >= 0 && first <= last && last <= headLayer))
    throw new RangeError(
      `layers ${first} to ${last} are not a range of this model's layers, 0 to ${headLayer}`,
    );
  if ((first === 0) !== (input.kind === 'tokens'))
    throw new Error(
      `a run from layer ${first} takes ${first === 0 ? 'token ids' : 'a hidden state'}, and ${input.kind} came`,
    );
  const tokens = tokensOf(request, config.hidden_size);
  if (!Number.isInteger(position) || position < 0)
    throw new RangeError(`a position counts from 0, and ${position} came`);
  if (position + tokens > contextLength)
    throw new RangeError(
      `the context is full: ${position} positions and ${tokens} more exceed its ${contextLength}`,
    );
  if (logitsOf !== undefined && !(logitsOf >= 1 && logitsOf <= tokens))
    throw new RangeError(`logits of ${logitsOf} positions were asked for, and ${tokens} are run`);
  return tokens;
}

function tokensOf({ input }: RunRequest, width: number): number {
  const tokens = input.kind === 'tokens' ? input.ids.length : input.tokens;
  if (tokens < 1) throw new RangeError('a run needs at least one new position');
  if (input.kind === 'hidden' && input.values.length !== tokens * width)
    throw new RangeError(
      `${tokens} hidden states of ${width} are ${tokens * width} numbers, and ${input.values.length} came`,
    );
  return tokens;
}
