/**
 * Why a server gives a file to nobody or not to this person, in one sentence. The codes are those of Hugging
 * Face's hub (huggingface_hub, utils/_http.py, hf_raise_for_status). Other servers, and hubs whose headers a page
 * cannot read, show no code.
 */
import type { Answer } from './ask.ts';
import { FetchFailure, TryFailed } from './failure.ts';
import type { HttpRequest } from './limits.ts';
import { retryAfterMs } from './retry-after.ts';

/** What the hub answers for a token that it does not know. */
const unknownToken = 'Invalid credentials in Authorization header';
const disabled = 'Access to this resource is disabled.';

/** Statuses of a server that may answer otherwise a moment later. */
const passing = new Set([408, 425, 500, 502, 503, 504]);

/** The error to throw for an answer without the file. */
export function refusalOf(request: HttpRequest, answer: Answer): FetchFailure | TryFailed {
  const { status, headers } = answer;
  const { host } = new URL(request.url);
  const waitMs = retryAfterMs(headers, Date.now());
  const isPassing = passing.has(status);
  const isTold = headers.has('retry-after') && (isPassing || status === 403);
  if (status === 429 || status === 503 || isTold)
    return new TryFailed({ kind: 'busy', because: `${host} is busy (${status})`, waitMs });
  if (isPassing) {
    const because = `${host} is in trouble (it answered ${status})`;
    return new TryFailed({ kind: 'failing', because });
  }
  const isMissing = status === 404 || status === 410;
  const kind = isMissing ? 'missing' : 'refused';
  return new FetchFailure(kind, sentenceFor(request, answer), undefined, status);
}

/** True for a file that is not there, although its model and the model's revision are. */
export function isMissingFile({ status, headers }: Answer): boolean {
  const code = headers.get('x-error-code');
  const isOther = code === 'RepoNotFound' || code === 'RevisionNotFound' || code === 'GatedRepo';
  return (status === 404 || status === 410) && !isOther;
}

function sentenceFor(request: HttpRequest, { status, headers }: Answer): string {
  const { name, url } = request;
  const { host } = new URL(url);
  const code = headers.get('x-error-code');
  const message = headers.get('x-error-message');
  const sentToken = Object.keys(request.headers ?? {}).some((key) => /^authorization$/i.test(key));
  switch (code) {
    case 'RepoNotFound':
      return sentToken
        ? `${noSuchModel(request, status, 'it is private and this access token may not read it')} then the token.`
        : `${noSuchModel(request, status, 'it is private')} then give an access token that may read it.`;
    case 'RevisionNotFound':
      return `${name} could not be fetched: the model has no branch, tag or commit ${revisionOf(url)}. Check its spelling, or leave it out.`;
    case 'GatedRepo':
      return notOpen(name, status);
  }
  if (message === unknownToken)
    return `${name} could not be fetched: ${host} does not know this access token (${status}). Check the token, or leave it out.`;
  if (message === disabled)
    return `${name} could not be fetched: ${host} has disabled this model (${status}). Choose another model.`;
  if (status === 401 && isOnHub(url))
    return sentToken
      ? `${noSuchModel(request, status, 'it is private and this access token is wrong or may not read it')} then the token.`
      : `${noSuchModel(request, status, 'it is private or needs your consent')} then accept its terms there and give an access token.`;
  if ((status === 401 || status === 403) && isSigned(url))
    return `${name} could not be fetched: ${host} refuses the signed address (${status}), which may have run out. Get a new address.`;
  if (status === 401 || status === 403) return notOpen(name, status);
  return `${name} could not be fetched: the server answered ${status}.`;
}

/** The hub answers alike for models that do not exist and for private ones, so as not to tell which there are. */
function noSuchModel({ name, url }: HttpRequest, status: number, otherwise: string): string {
  const { host } = new URL(url);
  return `${name} could not be fetched: ${host} has no such model, or ${otherwise} (${status}). Check the spelling first,`;
}

function notOpen(name: string, status: number): string {
  return (
    `${name} is not open to everyone (${status}): accept the model's terms there and give an ` +
    'access token, or choose another model'
  );
}

/** Paths by which the hub gives files of a model (huggingface_hub, REPO_API_REGEX). */
function isOnHub(url: string): boolean {
  return /\/api\/models\/|\/.+\/resolve\//.test(new URL(url).pathname);
}

function revisionOf(url: string): string {
  const [, revision = ''] =
    /\/(?:resolve|tree|revision)\/([^/]+)/.exec(new URL(url).pathname) ?? [];
  try {
    return `called "${decodeURIComponent(revision)}"`;
  } catch {
    return `called "${revision}"`;
  }
}

/** Names of query fields by which Amazon, Google, Azure and CloudFront sign an address. */
function isSigned(url: string): boolean {
  const names = [...new URL(url).searchParams.keys()];
  return names.some((name) => /signature|^sig$|expires|token|credential/i.test(name));
}
