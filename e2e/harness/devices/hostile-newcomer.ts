/** Newcomers, and servers, that want in without the key or under another's name. */
import type { Page } from 'playwright';

/** All of these are to be called before the page is opened. */

/** Keeps what the page proves the key with, for `proofsOf`. */
export async function recordProofs(page: Page): Promise<void> {
  await page.addInitScript({ content: recorder });
}

export async function proofsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const proofs: unknown = Reflect.get(globalThis, 'proofs');
    return Array.isArray(proofs) ? proofs.map(String) : [];
  });
}

/** Says in its own handshake, word for word, what another device said in another one. */
export async function replayProofs(page: Page, proofs: readonly string[]): Promise<void> {
  await page.addInitScript({
    content: `globalThis.proofs = ${JSON.stringify(proofs)};${replayer}`,
  });
}

/** Takes the certificate that another tab of this browser has, which the app leaves to that tab alone. */
export async function stealIdentity(page: Page): Promise<void> {
  await page.addInitScript({ content: thief });
}

/** A signalling server that puts a certificate of its own in place of each device's. */
export async function swapIdentities(page: Page): Promise<void> {
  await page.routeWebSocket(/\/peerjs/, (near) => {
    const far = near.connectToServer();
    near.onMessage((message) => far.send(swapped(message)));
    far.onMessage((message) => near.send(swapped(message)));
  });
}

const anotherFingerprint = Array.from({ length: 32 }, () => 'AB').join(':');

function swapped(message: string | Buffer): string {
  return String(message).replaceAll(
    /(a=fingerprint:sha-256 )[0-9A-Fa-f:]+/g,
    `$1${anotherFingerprint}`,
  );
}

const ownSend = `
  const { send } = RTCDataChannel.prototype;
  const kindOf = (data) => (typeof data === 'string' ? JSON.parse(data).kind : null);
`;

const recorder = `{
  ${ownSend}
  globalThis.proofs = [];
  RTCDataChannel.prototype.send = function (data) {
    if (['hello', 'proof'].includes(kindOf(data))) globalThis.proofs.push(data);
    send.call(this, data);
  };
}`;

const replayer = `{
  ${ownSend}
  RTCDataChannel.prototype.send = function (data) {
    const kind = kindOf(data);
    send.call(this, globalThis.proofs.find((proof) => kindOf(proof) === kind) ?? data);
  };
}`;

const thief = `{
  const { request } = LockManager.prototype;
  LockManager.prototype.request = function (name, options, use) {
    return name.startsWith('edgeshard identity') ? use({ name }) : request.call(this, name, options, use);
  };
}`;
