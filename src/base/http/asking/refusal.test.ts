import { afterEach, describe, expect, it } from 'vitest';
import { startHandler, type HandlerServer } from '../fixtures/handler-server.ts';
import { openHttpFile } from '../open-file.ts';

let server: HandlerServer | undefined;
afterEach(() => server?.close());

interface Refused {
  status: number;
  code?: string;
  message?: string;
  path?: string;
  token?: string;
}

const onHub = 'owner/name/resolve/v1.0/config.json';

/** The sentence that opening ends with; null if the file counts as missing. */
async function said({
  status,
  code,
  message,
  path = onHub,
  token,
}: Refused): Promise<string | null> {
  server = await startHandler((response) => {
    response.writeHead(status, {
      ...(code !== undefined && { 'X-Error-Code': code }),
      ...(message !== undefined && { 'X-Error-Message': message }),
    });
    response.end();
  });
  const headers: Record<string, string> =
    token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const request = { url: server.url + path, name: 'config.json', headers, limits: { pauseMs: 1 } };
  const sentence = await openHttpFile(request).then(
    (found) => (found ? 'it came' : null),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return sentence?.replaceAll(new URL(server.url).host, 'hub.example') ?? null;
}

const invalid = 'Invalid credentials in Authorization header';
const gated =
  "is not open to everyone (401): accept the model's terms there and give an access token, or choose another model";

describe('a refusal', () => {
  const cases: [string, Refused, string | null][] = [
    [
      'of a model that does not exist, or is private',
      { status: 401, code: 'RepoNotFound' },
      'config.json could not be fetched: hub.example has no such model, or it is private (401). Check the spelling first, then give an access token that may read it.',
    ],
    [
      'of such a model although a token was given',
      { status: 404, code: 'RepoNotFound', token: 'hf_x' },
      'config.json could not be fetched: hub.example has no such model, or it is private and this access token may not read it (404). Check the spelling first, then the token.',
    ],
    [
      'whose code cannot be read',
      { status: 401 },
      'config.json could not be fetched: hub.example has no such model, or it is private or needs your consent (401). Check the spelling first, then accept its terms there and give an access token.',
    ],
    [
      'whose code cannot be read although a token was given',
      { status: 401, token: 'hf_x' },
      'config.json could not be fetched: hub.example has no such model, or it is private and this access token is wrong or may not read it (401). Check the spelling first, then the token.',
    ],
    ['that asks for consent', { status: 401, code: 'GatedRepo' }, `config.json ${gated}`],
    [
      'that asks for consent of a known person',
      { status: 403, code: 'GatedRepo', token: 'hf_x' },
      `config.json ${gated.replace('401', '403')}`,
    ],
    [
      'of a wrong token',
      { status: 401, message: invalid, token: 'hf_x' },
      'config.json could not be fetched: hub.example does not know this access token (401). Check the token, or leave it out.',
    ],
    [
      'of a revision that does not exist',
      { status: 404, code: 'RevisionNotFound' },
      'config.json could not be fetched: the model has no branch, tag or commit called "v1.0". Check its spelling, or leave it out.',
    ],
    [
      'of a model that was disabled',
      { status: 403, message: 'Access to this resource is disabled.' },
      'config.json could not be fetched: hub.example has disabled this model (403). Choose another model.',
    ],
    [
      'of a signed address that has run out',
      { status: 403, path: 'f.gguf?X-Amz-Signature=abc' },
      'config.json could not be fetched: hub.example refuses the signed address (403), which may have run out. Get a new address.',
    ],
    ['of any other server', { status: 401, path: 'f.gguf' }, `config.json ${gated}`],
    ['of a file that is not there', { status: 404, code: 'EntryNotFound' }, null],
    ['of a file that is not there, without a code', { status: 404 }, null],
    ['of a file that is gone', { status: 410 }, null],
    [
      'of any other kind',
      { status: 400 },
      'config.json could not be fetched: the server answered 400.',
    ],
    [
      'in trouble',
      { status: 500 },
      'config.json could not be fetched: hub.example is in trouble (it answered 500). Try again later.',
    ],
  ];
  it.each(cases)('%s', async (_, refused, sentence) => {
    expect(await said(refused)).toBe(sentence);
  });
});
