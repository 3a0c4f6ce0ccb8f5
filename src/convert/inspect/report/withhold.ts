/**
 * Takes out of a text what is nobody else's business: access tokens, user names and passwords, queries of addresses
 * (which may be signatures), addresses in a private network, and paths on a computer. For texts that people paste in public.
 */
import { escapeRegExp } from '../../../base/escape-reg-exp.ts';
import { wellFormed } from '../../../base/well-formed.ts';

/** What stands in place of what is taken out. */
const withheld = {
  secret: '<withheld>',
  address: '<a private address>',
  path: '<a path>',
};

/** @param secrets known ones, such as an access token, which are taken out in every encoding of an address */
export function withholdPrivate(text: string, secrets: readonly string[] = []): string {
  const withoutKnown = secrets.reduce(withoutSecret, text);
  return withoutKnown.split('\n').map(withholdInLine).join('\n');
}

/** The user name, the password and the values of the query of an address, for `withholdPrivate`. */
export function secretsOf(address: string): string[] {
  if (!URL.canParse(address.trim())) return [];
  const { username, password, searchParams } = new URL(address.trim());
  const both = username === '' ? [] : [`${decoded(username)}:${decoded(password)}`];
  return [...both, username, password, ...searchParams.values()].filter((secret) => secret !== '');
}

function withoutSecret(text: string, secret: string): string {
  const plain = secret.trim();
  const forms = new Set<string>();
  for (const form of [plain, decoded(plain), base64(plain)])
    for (const inner of [form, encodeURI(wellFormed(form)), encodeURIComponent(wellFormed(form))])
      for (const outer of [inner, encodeURIComponent(wellFormed(inner))]) forms.add(outer);
  return [...forms]
    .filter((form) => form !== '')
    .sort((a, b) => b.length - a.length)
    .reduce((rest, form) => rest.replaceAll(patternOf(form), withheld.secret), text);
}

/** A short one only where it stands alone: a user called "a" must not make holes in every word. */
function patternOf(secret: string): RegExp {
  const exact = escapeRegExp(secret);
  const isShort = secret.length < 6;
  return new RegExp(isShort ? `(?<![\\p{L}\\p{N}])${exact}(?![\\p{L}\\p{N}])` : exact, 'giu');
}

/** Longer ones tell a person nothing, and would take the patterns long. */
const longestWord = 2000;
const longestLine = 4000;
const deepestEncoding = 4;

function withholdInLine(line: string): string {
  const words = line.replaceAll(/\S+/g, (word) =>
    word.length > longestWord ? withheld.secret : word,
  );
  // Cut between words: half a secret would not be known for one.
  const short =
    words.length > longestLine ? `${words.slice(0, longestLine).replace(/\S*$/, '')}…` : words;
  // What an address hides by percent-encoding is looked at first.
  return withoutPatterns(short.replaceAll(/\S*%[0-9a-f]{2}\S*/gi, withholdEncoded));
}

/** The word itself where nothing private comes to light. */
function withholdEncoded(word: string): string {
  const plain = fullyDecoded(word);
  const cleaned = withoutPatterns(plain);
  return cleaned === plain ? word : cleaned;
}

function withoutPatterns(line: string): string {
  let rest = line;
  for (const pattern of tokenPatterns) rest = rest.replaceAll(pattern, withheld.secret);
  rest = rest.replaceAll(namedSecret, (_, name: string) => `${name}${withheld.secret}`);
  rest = rest.replaceAll(anyUrl, (address) => publicAddress(address));
  rest = rest.replaceAll(/\S*@\S*/g, (word) => (credentials.test(word) ? withheld.address : word));
  rest = rest.replaceAll(query, '');
  for (const pattern of privateHosts) rest = rest.replaceAll(pattern, withheld.address);
  for (const pattern of paths) rest = rest.replaceAll(pattern, withheld.path);
  return rest;
}

/** Tokens by their makers' own prefixes, web tokens, and what follows the name of a scheme of HTTP. */
const tokenPatterns = [
  /\bhf_[A-Za-z0-9]{6,}/g,
  /\b(?:gh[pousr]|github_pat)_\w{8,}/g,
  /\bsk-[\w-]{12,}/g,
  /\bAKIA[0-9A-Z]{12,}/g,
  /\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?/g,
  /\b(?:bearer|basic)\s+[\w+/=.~-]{4,}/gi,
];

const namedSecret =
  /\b((?:[\w-]*token|[\w-]*signature|sig|api[_-]?key|credential|secret|password|passwd|pwd|authorization)\s*=\s*|(?:secret|password|passwd|pwd|authorization)\s*:\s*)[^\s&<]\S*/gi;

const anyUrl = /\b[a-z][a-z0-9+.-]*:\/\/\S*/gi;
/** A name and a password before a host, without a scheme. */
const credentials = /:[^/]*@/;
/** Of an address without a scheme. */
const query = /\?[\w.~%-]+=[^\s<]*/g;

const privateEndings =
  'localhost|local|localdomain|lan|home|internal|intranet|corp|private|home\\.arpa|ts\\.net|test|example\\.local';

const privateHosts = [
  // Any number that is an address: a model's public home has a name.
  /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:\/\S*)?(?![\w.]\d)/g,
  /\[[0-9a-f:.]*:[0-9a-f:.]*(?:%[\w.-]+)?\](?::\d+)?(?:\/\S*)?/gi,
  /(?<![\w:.])(?:[0-9a-f]{1,4}:){3,}[0-9a-f:.]*(?:%\w+)?/gi,
  /(?<![\w:.])[0-9a-f]{0,4}::[0-9a-f:.]*(?:%\w+)?/gi,
  new RegExp(
    `(?<![\\w.-])(?:[\\w-]+\\.)*(?:localhost|[\\w-]+\\.(?:${privateEndings}))\\.?(?::\\d+)?(?![\\w-])(?:/\\S*)?`,
    'gi',
  ),
  // A name without a dot, with a port and a path: a device of the local network.
  /(?<![\w.-])[a-z][\w-]*:\d{2,5}\/\S*/gi,
];

/** From a root to the end of the last name in the line, as names may have spaces in them. */
const paths = [
  /\bfile:\S*/gi,
  /(?<![\w])[a-z]:[\\/](?:[^\n"'<>|]*[\\/])?[^\s"'<>|]*/gi,
  /\\\\[^\s\\]+\\(?:[^\n"'<>|]*\\)?[^\s"'<>|]*/g,
  /(?<![\w.~\-/<>)])(?:~|\.{1,2})?\/[^\s/"'<>|]+\/(?:[^\n"'<>|]*\/)?[^\s"'<>|]*/g,
  /(?<![\w.~\-/<>)])~\/[^\s"'<>|]*/g,
];

/** Of an address in a text: its host and path, if the host is public, and what follows it in the sentence. */
function publicAddress(text: string): string {
  const [, address = '', after = ''] = /^(.*?)([.,;:!?)\]}'"»”’>]*)$/s.exec(text) ?? [];
  if (!/^https?:\/\//i.test(address))
    return /^file:/i.test(address) ? withheld.path + after : withheld.address + after;
  if (!URL.canParse(address)) return withheld.address + after;
  const { protocol, host, hostname, pathname } = new URL(address);
  if (isPrivateHost(hostname)) return withheld.address + after;
  const inner = fullyDecoded(pathname);
  const hidesAnother = /:\/\/|[^/]*:[^/]*@/.test(inner);
  return `${protocol}//${host}${hidesAnother ? '/…' : pathname}${after}`;
}

function isPrivateHost(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  const isNumber = /^[\d.]+$/.test(name) || name.startsWith('[');
  return isNumber || !name.includes('.') || new RegExp(`\\.(?:${privateEndings})$`).test(name);
}

function fullyDecoded(text: string): string {
  let form = text;
  for (let depth = 0; depth < deepestEncoding; depth++) form = decoded(form);
  return form;
}

/** Percent-encoding undone where it is right, and left where it is not. */
function decoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}

/** As in the header of HTTP's basic authentication. */
function base64(text: string): string {
  return btoa(
    Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''),
  );
}
