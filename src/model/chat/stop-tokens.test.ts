import { describe, expect, it } from 'vitest';
import { isSpeltAsControl, stopTokensOf, type Word } from './stop-tokens.ts';

function words(...spellings: string[]): Word[] {
  return spellings.map((content, id) => ({ id, content }));
}

describe('stop tokens', () => {
  it.each([
    '<|eot_id|>',
    '<|im_end|>',
    '<|end|>',
    '<|return|>',
    '<|call|>',
    '<|flush|>',
    '<|calls|>',
    '<end_of_turn>',
    '<|endoftext|>',
    '</s>',
    '<|eom_id|>',
    '<EOT>',
    '_<EOT>',
    '[EOT]',
    '[EOS]',
    '<|end_of_text|>',
    '<end_of_utterance>',
    '<eos>',
    '<turn|>',
    '<|tool_response>',
    '<｜end▁of▁sentence｜>',
    '[e~[',
    '<|fim_pad|>',
    '<fim-pad>',
    '<fim_pad>',
    '<PAD>',
    '[PAD]',
    '<|fim_repo|>',
    '<|repo_name|>',
    '<fim-repo>',
    '<REPO>',
    '<reponame>',
    '<|file_sep|>',
  ])('are those spelt %s, whatever the files name', (spelling) => {
    expect(stopTokensOf({ ids: [0] }, words('a', spelling, 'b'))).toEqual([0, 1]);
    expect(isSpeltAsControl(spelling)).toBe(true);
  });

  it('are not those that begin a turn, pad a batch or are spelt nearly so', () => {
    const others = words('<s>', '<|im_start|>', '<pad>', '<|End|>', ' </s>', '<think>', '<|eot|>');
    expect(stopTokensOf({ ids: [] }, others)).toEqual([]);
  });

  it('come in the order in which the files name them, each once', () => {
    const named = { ids: [3, 1, 3], spellings: ['b', 'nowhere'] };
    expect(stopTokensOf(named, words('a', '</s>', 'b', 'c'))).toEqual([3, 1, 2]);
  });

  it('leave out the end of a part of an answer where there are channels', () => {
    const harmony = words('<|end|>', '<|return|>', '<|call|>');
    expect(stopTokensOf({ ids: [1, 0] }, harmony)).toEqual([1, 2]);
    expect(stopTokensOf({ ids: [] }, words('<|end|>', '<|flush|>', '<|calls|>'))).toEqual([1, 2]);
    expect(stopTokensOf({ ids: [] }, words('<|end|>', '<|return|>'))).toEqual([0, 1]);
    expect(stopTokensOf({ ids: [] }, words('<|end|>', '<|call|>'))).toEqual([0, 1]);
  });

  it('leave out </s> beside the answers of tools', () => {
    expect(stopTokensOf({ ids: [0] }, words('</s>', '<|tool_response>'))).toEqual([1]);
  });

  it('have one token of each kind for infilling, the named one first', () => {
    const both = words('<PAD>', '<|fim_pad|>', 'x');
    expect(stopTokensOf({ ids: [] }, both)).toEqual([1]);
    expect(stopTokensOf({ ids: [], infilling: { padding: 2 } }, both)).toEqual([2]);
  });
});
