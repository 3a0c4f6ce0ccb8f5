import js from '@eslint/js';
import boundaries from 'eslint-plugin-boundaries';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

/** The rooms of the house, and which other rooms each may import. An arrow points down only. */
const mayImport = {
  // What the language lacks: it knows nothing of the project, and every room may use it.
  base: [],
  planner: [],
  model: [],
  transport: [],
  // A cut keeps what each row computes for a fixed input, so it has to compute it.
  convert: ['model', 'engine'],
  store: ['model'],
  engine: ['model'],
  profile: ['model', 'engine', 'transport'],
  room: ['model', 'planner', 'convert', 'store', 'engine', 'profile', 'transport'],
  ui: ['model', 'convert', 'planner', 'store', 'engine', 'profile', 'transport', 'room'],
  server: ['model', 'convert'],
};

export default ts.config(
  { ignores: ['node_modules', 'dist', '.cache', '.edgeshard', 'shards', 'test-results'] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  { files: ['**/*.js'], ...ts.configs.disableTypeChecked },
  {
    // Commands talk to a terminal; the app does not.
    files: [
      'src/server/**',
      'src/convert/cutting/shard.ts',
      'src/convert/inspect/inspect.ts',
      'src/convert/bench-dequantise.ts',
      'src/planner/command/**',
      'e2e/**',
      'docs/tools/**',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    // A folder of the room has one face: others import its `index.ts`, and its own tests what is behind.
    files: ['src/room/**'],
    ignores: ['**/*.test.ts', '**/fixtures/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^\\.{1,2}/(?:\\.\\./)*(?!(?:${Object.keys(mayImport).join('|')})/)[^./][^/]*/(?!index\\.ts$)`,
              message: 'Import the face of that folder: its index.ts.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/room/**', '**/*.test.ts', '**/fixtures/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '/room/(?!index\\.ts$)',
              message: 'Import the face of the room: room/index.ts.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**'],
    plugins: { boundaries },
    settings: {
      'boundaries/elements': Object.keys(mayImport).map((type) => ({
        type,
        pattern: `src/${type}`,
      })),
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          message: '{{from.type}} may not import {{to.type}}: an arrow points down only',
          policies: Object.entries(mayImport).map(([from, allowed]) => ({
            from: { element: { types: from } },
            allow: { to: { element: { types: ['base', from, ...allowed] } } },
          })),
        },
      ],
    },
  },
);
