import { describe, expect, it } from 'vitest';
import { chooseModel } from './choose-model.ts';

const folder = (name: string) => ({ kind: 'folder', folder: name });
const gguf = (...paths: string[]) => ({ kind: 'gguf', paths });

describe('chooseModel', () => {
  const chosen: [string, string[], object][] = [
    ['the top folder', ['config.json', 'model.safetensors', 'onnx/config.json'], folder('')],
    [
      'the shallowest folder',
      ['m/onnx/config.json', 'm/config.json', 'm/old/a/config.json'],
      folder('m/'),
    ],
    [
      'one inside of a folder without',
      ['a/README.md', 'a/m/config.json', 'a/m/x/config.json'],
      folder('a/m/'),
    ],
    [
      'a snapshot of the hub’s cache',
      ['models--o--n/refs/main', 'models--o--n/snapshots/01ab/config.json'],
      folder('models--o--n/snapshots/01ab/'),
    ],
    [
      'the folder although GGUF files lie beside',
      ['m/config.json', 'm/model.safetensors', 'm/m.gguf'],
      folder('m/'),
    ],
    [
      'the folder although GGUF files lie below',
      ['m/config.json', 'm/q4/m-Q4_0.gguf', 'm/q8/m-Q8_0.gguf'],
      folder('m/'),
    ],
    [
      'the GGUF file of a folder without safetensors',
      ['m/config.json', 'm/m.gguf', 'm/pytorch_model.bin'],
      gguf('m/m.gguf'),
    ],
    [
      'a folder whose own name is hidden',
      ['.models/config.json', '.models/.git/config.json'],
      folder('.models/'),
    ],
    ['one GGUF file', ['m/README.md', 'm/m.GGUF'], gguf('m/m.GGUF')],
    [
      'the GGUF file above others',
      ['m/m.Q4_0.gguf', 'm/other/m.Q8_0.gguf', 'm/config/x/config.json'],
      gguf('m/m.Q4_0.gguf'),
    ],
    [
      'the GGUF file beside a projector',
      ['m/mmproj-m-f16.gguf', 'm/m.gguf', 'm/m.imatrix.gguf'],
      gguf('m/m.gguf'),
    ],
    [
      'all parts of a split file',
      ['m/b-00002-of-00002.gguf', 'm/b-00001-of-00002.gguf'],
      gguf('m/b-00001-of-00002.gguf', 'm/b-00002-of-00002.gguf'),
    ],
    [
      'nothing of macOS, Git and the hub’s client',
      ['m/config.json', 'm/.cache/huggingface/x.gguf', '__MACOSX/config.json', 'm/._config.json'],
      folder('m/'),
    ],
  ];
  it.each(chosen)('finds %s, whatever the order', (_, paths, expected) => {
    expect(chooseModel(paths)).toEqual(expected);
    expect(chooseModel([...paths].reverse())).toEqual(expected);
  });

  const refused: [string, string[], string | RegExp][] = [
    [
      'two folders equally deep',
      ['all/a/config.json', 'all/b/config.json', 'all/b/c/config.json'],
      'there are 2 models: "all/a" and "all/b" each have a config.json: pick one of these folders',
    ],
    [
      'two GGUF files equally deep',
      ['a.gguf', 'b.gguf'],
      'pick one model at a time, not a.gguf and b.gguf',
    ],
    ['only a projector', ['mmproj-m.gguf'], /mmproj-m\.gguf belongs to a model and is none itself/],
    ['only weights', ['m/model.safetensors'], /no config\.json \(there is m\/model\.safetensors\)/],
    ['nothing', [], /no config\.json: this is not a Hugging Face model; give the folder/],
    ['more parts than any model has', ['m-00001-of-99999.gguf'], /one of 99999 parts/],
  ];
  it.each(refused)('says what is wrong with %s', (_, paths, sentence) => {
    expect(() => chooseModel(paths)).toThrow(sentence);
  });
});
