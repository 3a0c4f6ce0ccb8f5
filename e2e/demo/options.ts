/** What `npm run demo` can be told. */
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { defaultModel } from '../../src/model/catalogue.ts';
import { parseEmulatedLink } from '../../src/transport/emulated-network.ts';
import type { LinkEmulation } from '../../src/transport/index.ts';
import { exactPlan } from '../../src/ui/page-options.ts';
import { greedy } from '../../src/room/host/decoding/index.ts';
import { deviceName } from '../../src/room/host/membership/index.ts';
import { EmulationSchema } from '../../src/room/protocol/index.ts';
import type { AskRequest, DeviceOptions, HostOptions } from '../../src/room/index.ts';

export interface DemoOptions {
  /** A catalogue name, a folder, a `.gguf` file, a hub id or a URL. */
  model: string;
  hubUrl?: string;
  devices: number;
  device: DeviceOptions;
  host: Pick<HostOptions, 'weights' | 'wire' | 'plan' | 'prefillChunk' | 'contextLength'>;
  /** Devices whose links are slowed down. */
  links: EmulatedLink[];
  ask: AskRequest;
  json: boolean;
}

export interface EmulatedLink {
  device: string;
  emulation: LinkEmulation;
}

/** An option that cannot be used; `message` is one sentence that names it. */
export class OptionError extends Error {}

export const demoUsage = `Usage: npm run demo -- [options]

Opens a room of headless browser tabs on this machine and has it answer one prompt.

  --model MODEL            a catalogue name (default: ${defaultModel}), a folder of shards or in Hugging
                           Face's layout, a .gguf file, a hub id such as owner/name, or a URL
  --hub URL                where hub ids are looked up (default: https://huggingface.co)
  --devices N              tabs, the host included (default: 1)
  --backend B              auto, webgpu or wasm (default: auto)
  --threads N              threads of each wasm device (default: chosen by the device)
  --memory MB              memory budget of each tab, in megabytes (default: assumed by platform)
  --weights W              auto, f32, f16, q8 or q4: what layers compute with (default: auto)
  --wire W                 f16 or f32: how hidden states travel (default: f16)
  --plan P                 auto, even, or stages such as host:0-3,a:4-6,host:7 (default: auto): layer 0 is
                           the embedding, 1 and on are the blocks, the last layer is the head
  --chunk N                prompt tokens per frame (default: measured)
  --context N              longest conversation in tokens (default: the model's own, 4096 at most)
  --link D=20ms~5ms/50mbit/1%
                           slows all links of device D (host, a, b, …) down: delay each way, give or take,
                           bandwidth, loss; each part optional; may be given for several devices
  --prompt TEXT            (default: "Once upon a time")
  --prompt-ids 1,2,3       token ids instead of text
  --max-tokens N           (default: 64)
  --greedy                 always the likeliest token
  --temperature T          (default: 0.8)     --top-k K   --top-p P   --min-p P
  --repetition-penalty R   (default: 1)
  --seed N                 the same seed gives the same text
  --top-logits N           with --json: the N largest logits at each new position
  --json                   one object on standard output and nothing else
  --help                   show this
`;

const number = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.regex(/^-?\d+(\.\d+)?$/, 'a number'),
    v.transform(Number),
    v.minValue(least, `at least ${least}`),
    v.maxValue(most, `at most ${most}`),
  );
const whole = (least: number, most: number) =>
  v.pipe(number(least, most), v.integer('a whole number'));
const oneOf = <const T extends string[]>(...names: T) => v.picklist(names, names.join(', '));

const linkExample = 'such as a=20ms/50mbit/1%, 10 s at most';

const emulatedLink = v.pipe(
  v.string(),
  v.check(isEmulatedLink, linkExample),
  v.transform(parseEmulatedLink),
);

const OptionsSchema = v.object({
  model: v.optional(v.string(), defaultModel),
  hub: v.optional(v.pipe(v.string(), v.url('an address such as https://huggingface.co'))),
  devices: v.optional(whole(1, 16), '1'),
  backend: v.optional(oneOf('auto', 'webgpu', 'wasm'), 'auto'),
  threads: v.optional(whole(1, 64)),
  memory: v.optional(number(1, 1e6)),
  weights: v.optional(oneOf('auto', 'f32', 'f16', 'q8', 'q4'), 'auto'),
  wire: v.optional(oneOf('f16', 'f32'), 'f16'),
  plan: v.optional(
    v.union(
      [v.literal('auto'), v.literal('even'), exactPlan],
      'auto, even, or stages such as host:0-3,a:4-6,host:7',
    ),
    'auto',
  ),
  chunk: v.optional(whole(1, 4096)),
  context: v.optional(whole(64, 1 << 20)),
  link: v.optional(v.array(emulatedLink), []),
  prompt: v.optional(v.string(), 'Once upon a time'),
  'prompt-ids': v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,9}(,\d{1,9})*$/, 'ids such as 1,2,3'),
      v.transform((text) => text.split(',').map(Number)),
    ),
  ),
  'max-tokens': v.optional(whole(1, 1 << 20), '64'),
  greedy: v.optional(v.boolean(), false),
  temperature: v.optional(number(0, 100), '0.8'),
  'top-k': v.optional(whole(0, 1 << 20), '0'),
  'top-p': v.optional(number(0, 1), '0.9'),
  'min-p': v.optional(number(0, 1), '0'),
  'repetition-penalty': v.optional(number(0.1, 10), '1'),
  seed: v.optional(whole(0, 2 ** 32 - 1)),
  'top-logits': v.optional(whole(0, 1000), '0'),
  json: v.optional(v.boolean(), false),
});

/** Throws an `OptionError` that names the option. */
export function parseDemoOptions(args: string[]): DemoOptions | 'help' {
  const given = readArguments(args);
  if (given.help === true) return 'help';
  const read = v.safeParse(OptionsSchema, given);
  if (!read.success) {
    const [issue] = read.issues;
    const name = String(issue.path?.[0].key);
    throw new OptionError(
      `--${name} must be ${issue.message}, not ${JSON.stringify(issue.input)}.`,
    );
  }
  const options = read.output;
  for (const { device } of options.link) checkIsInRoom(device, options.devices);
  const ids = options['prompt-ids'];
  return {
    model: options.model,
    ...(options.hub !== undefined && { hubUrl: options.hub }),
    devices: options.devices,
    device: {
      backend: options.backend,
      threads: options.threads ?? null,
      memoryBudgetBytes: options.memory === undefined ? null : options.memory * 1e6,
      relayOnly: false,
    },
    host: {
      weights: options.weights,
      wire: options.wire,
      plan: options.plan,
      prefillChunk: options.chunk ?? null,
      contextLength: options.context ?? null,
    },
    links: options.link,
    ask: {
      prompt: ids ? { kind: 'ids', ids } : { kind: 'text', text: options.prompt },
      maxNewTokens: options['max-tokens'],
      topLogits: options['top-logits'],
      sampling: options.greedy
        ? greedy
        : {
            temperature: options.temperature,
            topK: options['top-k'],
            topP: options['top-p'],
            minP: options['min-p'],
            repetitionPenalty: options['repetition-penalty'],
            seed: options.seed ?? null,
          },
    },
    json: options.json,
  };
}

function isEmulatedLink(text: string): boolean {
  try {
    return v.is(EmulationSchema, parseEmulatedLink(text).emulation);
  } catch {
    return false;
  }
}

function checkIsInRoom(device: string, devices: number): void {
  const names = ['host', ...Array.from({ length: devices - 1 }, (_, index) => deviceName(index))];
  if (!names.includes(device))
    throw new OptionError(
      `--link names device ${device}, and with --devices ${devices} there is only ${names.join(', ')}.`,
    );
}

type Given = Record<string, string | boolean | (string | boolean)[] | undefined>;

function readArguments(args: string[]): Given {
  const flags = ['greedy', 'json', 'help'];
  const repeatable = ['link'];
  const names = [...Object.keys(OptionsSchema.entries), 'help'];
  try {
    return parseArgs({
      args,
      options: Object.fromEntries(
        names.map((name) => {
          const type = flags.includes(name) ? ('boolean' as const) : ('string' as const);
          return [name, { type, multiple: repeatable.includes(name) }] as const;
        }),
      ),
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(/\.\s/)[0] : String(error);
    throw new OptionError(`${reason}. Try --help.`);
  }
}
