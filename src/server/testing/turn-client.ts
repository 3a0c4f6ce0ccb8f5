/** A client of the relay that can say anything to it, rightly signed or not; browsers and libraries say only what is right. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as nextRound } from 'node:timers/promises';
import { wire, type AttributeInput } from 'turn-server';
import type { IceServer } from '../../model/server-info.ts';
import { readTurnMessage, type TurnMessage } from '../relay-gate.ts';

export const { ATTR: attribute, METHOD: method, CLASS: messageClass } = wire;

export interface TurnEndpoint {
  ip: string;
  port: number;
}

export interface Credentials {
  username: string;
  password: string;
}

export interface TurnRequest {
  method: number;
  /** A request unless told. */
  class?: number;
  attributes?: readonly AttributeInput[];
  /** Whom it is signed by; unsigned unless told. */
  as?: Credentials;
  integrity?: 'sha1' | 'sha256';
  /** In place of the right one. */
  proof?: Uint8Array;
}

export interface TurnClient {
  encode(request: TurnRequest): Uint8Array;
  /** Says it, and does not wait. */
  say(packet: Uint8Array): void;
  /** Says it until it is answered; signs anew where the relay asks for it. Rejects if the relay says nothing. */
  ask(request: TurnRequest): Promise<TurnMessage>;
  /** All that came, oldest first; it is forgotten then. */
  takeHeard(): Buffer[];
  close(): void;
}

const realm = 'edgeshard';
const repeatMs = 400;
const mostRepeats = 12;
const relayedAddress = 0x0016;
const nonceAttribute = 0x0015;
const magicCookie = [0x21, 0x12, 0xa4, 0x42];

/** A port of this machine's own, at the address by which it reaches `host`. */
export async function openTurnClient(
  host: string,
  port: number,
  onSay: (packet: Uint8Array) => void = () => undefined,
): Promise<TurnClient> {
  const socket = createSocket('udp4');
  // The relay, or its port, is gone; what was asked stays unanswered.
  socket.on('error', () => undefined);
  socket.connect(port, host);
  await once(socket, 'connect');
  const heard: Buffer[] = [];
  const waiting = new Map<string, (answer: TurnMessage) => void>();
  let nonce = '';
  let isClosed = false;

  socket.on('message', (packet) => {
    if (heard.length < 1000) heard.push(packet);
    const message = readTurnMessage(packet);
    if (!message) return;
    nonce = valueOf(message, nonceAttribute)?.toString() ?? nonce;
    waiting.get(message.transactionId.toString('hex'))?.(message);
  });

  function encode(request: TurnRequest): Uint8Array {
    const { as, proof, attributes = [] } = request;
    const signed = as && [
      { type: attribute['USERNAME'], value: as.username },
      { type: attribute['REALM'], value: realm },
      { type: attribute['NONCE'], value: nonce },
    ];
    const given = proof && [{ type: attribute['MESSAGE_INTEGRITY_SHA256'], raw: proof }];
    const key = as && !proof && wire.compute_long_term_key(as.username, realm, as.password);
    return wire.encode_message({
      method: request.method,
      cls: request.class ?? messageClass['REQUEST'],
      attributes: [...attributes, ...(signed ?? []), ...(given ?? [])],
      ...(key && { key }),
      integrity: request.integrity ?? 'sha1',
    }).buf;
  }

  function say(packet: Uint8Array): void {
    onSay(packet);
    socket.send(packet);
  }

  function answerTo(packet: Uint8Array): Promise<TurnMessage> {
    const name = Buffer.from(packet.subarray(8, 20)).toString('hex');
    return new Promise((resolve, reject) => {
      let repeats = 0;
      const settle = (): void => {
        clearInterval(timer);
        waiting.delete(name);
      };
      const timer = setInterval(() => {
        if (repeats++ < mostRepeats) {
          say(packet);
          return;
        }
        settle();
        reject(new Error('the relay does not answer an honest client'));
      }, repeatMs);
      waiting.set(name, (answer) => {
        settle();
        resolve(answer);
      });
      say(packet);
    });
  }

  return {
    encode,
    say,
    async ask(request) {
      const known = nonce;
      const answer = await answerTo(encode(request));
      // Its first answer names the nonce to sign with.
      return request.as && errorCodeOf(answer) !== null && nonce !== known
        ? answerTo(encode(request))
        : answer;
    },
    takeHeard: () => heard.splice(0),
    close() {
      if (!isClosed) socket.close();
      isClosed = true;
    },
  };
}

/** Resolves when the relay has answered all that was said to it before, by whichever client. */
export async function afterAnswers(fence: TurnClient): Promise<void> {
  await fence.ask({ method: method['BINDING'] });
  // Answers to others may wait at their own sockets.
  await nextRound();
}

export function credentialsOf({ username, credential }: IceServer): Credentials {
  return { username, password: credential };
}

export const plainRelay: readonly AttributeInput[] = [
  { type: attribute['REQUESTED_TRANSPORT'], value: wire.TRANSPORT.UDP },
];

export function peer(address: TurnEndpoint): AttributeInput {
  return { type: attribute['XOR_PEER_ADDRESS'], value: address };
}

/** Null for an answer that says yes. */
export function errorCodeOf(message: TurnMessage): number | null {
  const error = valueOf(message, attribute['ERROR_CODE']);
  return error && error.length >= 4 ? (error[2] & 7) * 100 + error[3] : null;
}

/** Null for an answer that gives no relay. */
export function relayOf(message: TurnMessage): TurnEndpoint | null {
  const address = valueOf(message, relayedAddress);
  if (!address) return null;
  const ip = Array.from(address.subarray(4, 8), (byte, index) => byte ^ magicCookie[index]);
  return { ip: ip.join('.'), port: address.readUInt16BE(2) ^ 0x2112 };
}

export function valueOf(message: TurnMessage, type: number): Buffer | null {
  return message.attributes.find((one) => one.type === type)?.value ?? null;
}
