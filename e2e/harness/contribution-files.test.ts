/** The files by which GitHub tests a change and asks for one: nothing here runs them, so their form is looked at. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectDir } from './project.ts';

const text = v.pipe(v.string(), v.trim(), v.nonEmpty());
const StepSchema = v.union([
  v.looseObject({ uses: v.pipe(v.string(), v.regex(/^[\w-]+\/[\w-]+@v\d+$/)) }),
  v.looseObject({ run: text }),
]);
const WorkflowSchema = v.object({
  name: text,
  on: v.record(v.string(), v.unknown()),
  permissions: v.object({ contents: v.literal('read') }),
  jobs: v.pipe(
    v.record(
      v.string(),
      v.looseObject({
        'runs-on': text,
        'timeout-minutes': v.number(),
        strategy: v.optional(v.looseObject({ matrix: v.record(v.string(), v.array(v.unknown())) })),
        steps: v.pipe(v.array(StepSchema), v.nonEmpty()),
      }),
    ),
    v.check((jobs) => Object.keys(jobs).length > 0, 'there is no job'),
  ),
});

const validations = v.optional(v.strictObject({ required: v.boolean() }));
const asked = { label: text, description: v.optional(text) };
const FieldSchema = v.variant('type', [
  v.strictObject({ type: v.literal('markdown'), attributes: v.strictObject({ value: text }) }),
  v.strictObject({
    type: v.picklist(['input', 'textarea']),
    id: text,
    attributes: v.strictObject({
      ...asked,
      placeholder: v.optional(text),
      render: v.optional(text),
    }),
    validations,
  }),
  v.strictObject({
    type: v.literal('dropdown'),
    id: text,
    attributes: v.strictObject({ ...asked, options: v.pipe(v.array(text), v.minLength(2)) }),
    validations,
  }),
]);
const FormSchema = v.strictObject({
  name: text,
  description: text,
  labels: v.pipe(v.array(text), v.nonEmpty()),
  body: v.pipe(v.array(FieldSchema), v.nonEmpty()),
});
const ChooserSchema = v.strictObject({
  blank_issues_enabled: v.boolean(),
  contact_links: v.array(
    v.strictObject({ name: text, url: v.pipe(v.string(), v.url()), about: text }),
  ),
});
const PackageSchema = v.object({
  engines: v.object({ node: v.pipe(v.string(), v.regex(/^>=\d+\.\d+$/)) }),
  scripts: v.record(v.string(), v.string()),
});

const templates = '.github/ISSUE_TEMPLATE';
const forms = filesIn(templates).filter((path) => !path.endsWith('/config.yml'));
const workflows = filesIn('.github/workflows');
const { engines, scripts } = v.parse(PackageSchema, JSON.parse(read('package.json')));

function read(path: string): string {
  return readFileSync(join(projectDir, path), 'utf8');
}

function filesIn(folder: string): string[] {
  return readdirSync(join(projectDir, folder)).map((name) => `${folder}/${name}`);
}

/** Throws for a file that is no YAML, or says the same thing twice. */
function readYaml(path: string): unknown {
  return parse(read(path), { strict: true, uniqueKeys: true });
}

describe('the test workflow', () => {
  const { jobs } = v.parse(WorkflowSchema, readYaml('.github/workflows/test.yml'));
  const runs = jobs['test'].steps.flatMap((step) => ('run' in step ? [String(step.run)] : []));

  it('runs what a person on a fresh machine runs, with a browser that it names', () => {
    const lines = runs.flatMap((run) => run.trim().split('\n'));
    const at = (part: string): number => {
      const line = lines.findIndex((one) => one.includes(part));
      expect(line, part).not.toBe(-1);
      return line;
    };
    expect(at('npm install')).toBeLessThan(at('playwright install --with-deps'));
    expect(at('playwright install --with-deps')).toBeLessThan(at('EDGESHARD_CHROMIUM='));
    expect(at('EDGESHARD_CHROMIUM=')).toBeLessThan(at('npm test'));
    expect(read('e2e/harness/find-browser.ts')).toContain(`process.env['EDGESHARD_CHROMIUM']`);
  });

  it('runs on every even version of Node from the oldest that the package takes', () => {
    const versions = jobs['test'].strategy?.matrix['node'] ?? [];
    expect(versions).toEqual(expect.arrayContaining([20, 22, 24]));
    expect(Math.min(...versions.map(Number))).toBe(parseInt(engines.node.slice(2), 10));
  });
});

it.each(workflows)('%s has the form of a workflow', (path) => {
  v.parse(WorkflowSchema, readYaml(path));
});

it('there is a form for each kind of issue', () => {
  expect(forms.sort()).toEqual(
    ['bug', 'feature', 'model-does-not-open'].map((name) => `${templates}/${name}.yml`),
  );
});

it.each(forms)('%s has the form of an issue form', (path) => {
  const { body } = v.parse(FormSchema, readYaml(path));
  const fields = body.flatMap((field) => (field.type === 'markdown' ? [] : [field]));
  expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length);
  expect(new Set(fields.map(({ attributes }) => attributes.label)).size).toBe(fields.length);
  expect(fields.some((field) => field.validations?.required)).toBe(true);
});

it('the choice of forms has its form', () => {
  const { contact_links } = v.parse(ChooserSchema, readYaml(`${templates}/config.yml`));
  for (const { url } of contact_links) expect(url).toMatch(/^https:\/\//);
});

it.each([...workflows, ...forms, '.github/pull_request_template.md'])(
  '%s names commands and files that there are',
  (path) => {
    const content = read(path);
    for (const [, script] of content.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g))
      expect(Object.keys(scripts)).toContain(script);
    for (const [, script] of content.matchAll(/\bnpm (start|test)\b/g))
      expect(Object.keys(scripts)).toContain(script);
    for (const [file] of content.matchAll(/\b[A-Z]+\.md\b/g))
      expect(readdirSync(projectDir)).toContain(file);
  },
);
