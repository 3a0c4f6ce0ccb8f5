import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TemplateFault, UnsupportedFeature } from './fault.ts';
import { parseTemplate } from './parse/parse-template.ts';
import { render } from './run/render.ts';
import { fromJson, type Value } from './values/values.ts';

interface Case {
  template: string;
  variables?: Record<string, unknown>;
  /** What Python's Jinja 2 writes; `write-texts.py` made it. */
  text?: string;
  /** Why Python writes nothing. */
  error?: string;
}

interface Fixture {
  variables: Record<string, unknown>;
  cases: Case[];
}

function readFixture(name: string): Fixture {
  return JSON.parse(
    readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8'),
  ) as Fixture;
}

const now = new Date(2024, 6, 6, 15, 4, 5);

function rendered(template: string, variables: Record<string, unknown> = {}): string {
  const values = Object.entries(variables).map(([name, value]): [string, Value] => [
    name,
    fromJson(value),
  ]);
  return render(parseTemplate(template), new Map(values), now);
}

/** The text, or the error that it was refused with. */
function attempt(template: string, variables: Record<string, unknown>): unknown {
  try {
    return rendered(template, variables);
  } catch (error) {
    return error;
  }
}

/** Python writes an address here that differs each time, or something that depends on one. */
function isAddress(result: unknown): boolean {
  return result instanceof TemplateFault && result.message.includes('an address in memory');
}

/** What Jinja 2 has and this one refuses, each by its name. */
const unsupported = [
  'the filter "pprint"',
  'the filter "striptags"',
  'the filter "urlize"',
  'the filter "wordwrap"',
  'the filter "xmlattr"',
  'the statement "autoescape"',
  'the statement "block"',
  'a character by its name (\\N{…})',
  'an iterator that a loop has left early',
  'encode of a str',
  'real of a int',
  'the name "self"',
];

describe.each(['jinja2-texts.json', 'family-texts.json'])('%s', (name) => {
  const { variables, cases } = readFixture(name);

  it('is written as Python writes it, or refused by the name of the feature', () => {
    const refused = new Set<string>();
    for (const { template, text, variables: own } of cases) {
      if (text === undefined) continue;
      const result = attempt(template, { ...variables, ...own });
      if (result instanceof UnsupportedFeature)
        refused.add(
          /^it uses (.*?)(?: \(line \d+\))?, which is not supported here$/.exec(
            result.message,
          )?.[1] ?? '',
        );
      else if (!isAddress(result)) expect(result, template).toBe(text);
    }
    expect([...refused].filter((feature) => !unsupported.includes(feature))).toEqual([]);
  });

  it('is refused in one sentence where Python refuses it', () => {
    for (const { template, error, variables: own } of cases)
      if (error !== undefined)
        expect(attempt(template, { ...variables, ...own }), `${template}: ${error}`).toBeInstanceOf(
          TemplateFault,
        );
  });
});

describe('a template', () => {
  it('cannot fill the memory', () => {
    const doubling =
      "{% set ns = namespace(s='ab') %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}";
    expect(() => rendered(doubling)).toThrow(/more than 67108864 characters/);
    expect(() => rendered("{{ 'ab' * 1000000000 }}")).toThrow(/more than 67108864 characters/);
    expect(() => rendered('{{ [0] * 1000000000 }}')).toThrow(/more than 4194304 items/);
    expect(() => rendered('{{ 9 ** (9 ** 9) }}')).toThrow(/too many digits/);
    expect(() => rendered("{{ 'a' | center(1000000000) }}")).toThrow(/more than 67108864/);
    expect(() => rendered("{{ '%1000000000d' % 1 }}")).toThrow(/more than 67108864/);
  });

  it('cannot loop over more than the sandbox of Jinja allows', () => {
    expect(() => rendered('{% for i in range(1000000000) %}{% endfor %}')).toThrow(/Range too big/);
  });

  it('reaches nothing of the language that it is written in', () => {
    for (const name of ['constructor', '__proto__', 'hasOwnProperty', 'toString', 'prototype'])
      expect(rendered(`{{ x.${name} is defined }}{{ ''.${name} is defined }}`, { x: {} })).toBe(
        'FalseFalse',
      );
    expect(() => rendered('{{ x | constructor }}')).toThrow(/no filter "constructor"/);
    expect(() => rendered('{{ x is toString }}')).toThrow(/no test "toString"/);
  });
});
