import { describe, expect, it } from 'vitest';
import { OptionError, parseDemoOptions, type DemoOptions } from './options.ts';

function parsed(...args: string[]): DemoOptions {
  const options = parseDemoOptions(args);
  if (options === 'help') throw new Error('this asks for help');
  return options;
}

describe('the demo’s options', () => {
  it('slow down the links of the devices they name', () => {
    const { links } = parsed('--devices', '3', '--link', 'a=20ms/50mbit/1%', '--link', 'host=5ms');
    expect(links).toEqual([
      { device: 'a', emulation: { delayMs: 20, jitterMs: 0, lossRate: 0.01, mbps: 50 } },
      { device: 'host', emulation: { delayMs: 5, jitterMs: 0, lossRate: 0 } },
    ]);
    expect(parsed('--devices', '3').links).toEqual([]);
  });

  it.each<[string[], string]>([
    [
      ['--devices', '2', '--link', 'a=fast'],
      '--link must be such as a=20ms/50mbit/1%, 10 s at most, not "a=fast".',
    ],
    [
      ['--devices', '2', '--link', 'a=1ms', '--link', 'a=20000ms'],
      '--link must be such as a=20ms/50mbit/1%, 10 s at most, not "a=20000ms".',
    ],
    [
      ['--devices', '2', '--link', 'b=20ms'],
      '--link names device b, and with --devices 2 there is only host, a.',
    ],
    [['--memory', '-5'], "Option '--memory' argument is ambiguous. Try --help."],
    [['--devices', '0'], '--devices must be at least 1, not 0.'],
    [['--weights', 'f8'], '--weights must be auto, f32, f16, q8, q4, not "f8".'],
  ])('that cannot be used are named: %j', (args, sentence) => {
    expect(() => parseDemoOptions(args)).toThrow(new OptionError(sentence));
  });
});
