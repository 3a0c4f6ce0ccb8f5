/** The room's messages: to a host that admits whoever has the key, and to a device that takes part. */
import * as v from 'valibot';
import type { TinyModel } from '../../src/engine/fixtures/tiny-model.ts';
import { createPartBench, welcome, withCallbacks } from '../../src/room/fixtures/device-part.ts';
import { stagesOf } from '../../src/room/fixtures/engine-room.ts';
import type { Link, Signalling } from '../../src/transport/index.ts';
import { openHostileLink, openNear, roomKey, type HostileLink } from './hostile-link.ts';
import { messagesByKind } from './message-values.ts';
import { oneOf, spoiltValue, type Random } from './mutate.ts';
import { crash, type Target, type TargetOptions } from './target.ts';
import type { DevicePart } from '../../src/room/device/part/index.ts';
import {
  type AdmissionOptions,
  admitDevices,
  createDoor,
  createLinkIntroductions,
} from '../../src/room/host/admission/index.ts';
import type { Member } from '../../src/room/host/membership/index.ts';
import { createPeers } from '../../src/room/links/index.ts';
import {
  DeviceMessageSchema,
  HostMessageSchema,
  roomProtocolVersion,
} from '../../src/room/protocol/index.ts';

/** Links take so many messages at once, and end with whoever says more. */
const perLink = 700;
/** So that most of what is said is heard before one is refused. */
const validShare = 0.75;

function nobody(): Promise<never> {
  return Promise.reject(new Error('nobody is dialled here'));
}

/** A host, one honest member that stays, and devices that say anything after their hello. */
export async function admissionTarget({ random, seed, tally }: TargetOptions): Promise<Target> {
  const name = 'host';
  const messages = messagesByKind(DeviceMessageSchema, seed, 60);
  tally.expect(name, messages.keys());
  let dialled: ((connection: RTCPeerConnection, fromId: string) => void) | null = null;
  const signalling: Signalling = {
    id: 'host',
    dial: nobody,
    onDial: (callback) => void (dialled = callback),
    onLost: () => undefined,
    close: () => undefined,
  };
  const members = new Map<string, Member>();
  const peers = createPeers({
    deviceId: 'host',
    dial: nobody,
    key: roomKey,
  });
  peers.handle({
    onFrame: () => undefined,
    onBulk: () => undefined,
    onLost: (deviceId) => members.delete(deviceId),
  });
  const roster = { members, notice: () => undefined, show: () => undefined };
  const introductions = createLinkIntroductions({ roster, plans: { changed: () => undefined } });
  admitDevices(
    withCallbacks<AdmissionOptions>({
      signalling,
      address: { hostId: 'host', key: roomKey },
      roster,
      peers,
      door: createDoor({
        record: { mode: 'open', known: [], banned: [] },
        fingerprint: 'f'.repeat(64),
        onView: () => undefined,
      }),
      maxDevices: 4,
      welcome: () => welcome,
      manifestMessage: null,
      handlers: withCallbacks<AdmissionOptions['handlers']>({ ...introductions.handlers }),
    }),
  );

  const join = (): Promise<HostileLink> =>
    openHostileLink(roomProtocolVersion, (connection) => dialled?.(connection, 'somebody'));
  const honest = await join();
  honest.far.sendControl({ kind: 'hello', label: 'honest' });
  let hostile: HostileLink | null = null;
  let said = 0;

  return {
    name,
    async feed(count) {
      for (let fed = 0; fed < count; fed++) {
        if (!hostile?.isOpen || said++ > perLink) {
          hostile?.close();
          hostile = await join();
          said = 0;
          if (random() < 0.9) hostile.far.sendControl({ kind: 'hello', label: 'hostile' });
        }
        const kind = oneOf(random, [...messages.keys()]);
        const message: unknown = oneOf(random, messages.get(kind) ?? []);
        const given = random() < validShare ? message : spoilt(message, random);
        hostile.far.sendControl(given);
        hostile.deliver();
        tally.note(name, kind, {
          valid: v.is(DeviceMessageSchema, given),
          refused: !hostile.isOpen,
        });
        if (!honest.isOpen || ![...members.values()].some(({ label }) => label === 'honest'))
          throw crash(name, kind, 'an honest member was lost');
      }
      return count;
    },
    close() {
      honest.close();
      hostile?.close();
      return Promise.resolve();
    },
  };
}

/** A device that takes part, and a host that says anything. */
export function partTarget({ random, seed, tally }: TargetOptions, model: TinyModel): Target {
  const name = 'device';
  const messages = messagesByKind(HostMessageSchema, seed, 60);
  tally.expect(name, messages.keys());
  const bench = createPartBench(model);
  const assigned = stagesOf('host:0-2,a:3-5,host:6');

  interface Part {
    link: HostileLink;
    part: DevicePart;
    /** Why the device gave its part up; null while it has not. */
    failed: string | null;
  }

  async function begin(): Promise<Part> {
    let near: Link | null = null;
    const link = await openHostileLink(roomProtocolVersion, async (connection) => {
      near = await openNear(connection, roomProtocolVersion);
    });
    const host = near as Link | null;
    if (!host) throw new Error('the device has no link');
    const part = bench.begin(host, roomKey, (reason) => void (started.failed ??= reason));
    const started: Part = { link, part, failed: null };
    return started;
  }

  async function end({ link, part }: Part): Promise<void> {
    link.close();
    await part.leave();
    // In the app the engine has a thread of its own; here it would keep the next link from being opened in time.
    await bench.settled();
  }

  return {
    name,
    async feed(count) {
      let now = await begin();
      let said = 0;
      for (let fed = 0; fed < count; fed++) {
        if (!now.link.isOpen || now.failed !== null || said++ > perLink) {
          await end(now);
          now = await begin();
          said = 0;
        }
        const kind = oneOf(random, [...messages.keys()]);
        const drawn = oneOf(random, messages.get(kind) ?? []);
        const message = kind === 'deploy' ? { ...drawn, stages: assigned } : drawn;
        const given = random() < validShare ? message : spoilt(message, random);
        now.link.far.sendControl(given);
        now.link.deliver();
        const valid = v.is(HostMessageSchema, given);
        // To be told that it is over, in whatever words, is no refusal.
        const refused = now.failed !== null && !(kind === 'ended' && valid);
        if (refused && !isOneSentence(now.failed ?? '')) throw crash(name, kind, now.failed);
        tally.note(name, kind, { valid, refused });
      }
      // The runtime, which other devices of this process share, loads for one at a time.
      await end(now);
      return count;
    },
    close: () => bench.dispose(),
  };
}

/** Links carry no longer ones. */
function spoilt(message: unknown, random: Random): unknown {
  const value = spoiltValue(message, random) ?? null;
  return JSON.stringify(value).length < 60_000 ? value : null;
}

/** What a screen shows is a sentence: no stack, and no words of the language it was written in. */
function isOneSentence(reason: string): boolean {
  return reason.length > 0 && !/is not a function|Cannot read|\[object/.test(reason);
}
