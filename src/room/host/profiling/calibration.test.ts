import { beforeEach, describe, expect, it } from 'vitest';
import { stagesOf } from '../../fixtures/engine-room.ts';
import { measuredMember } from '../../fixtures/members.ts';
import { createCalibration, type Calibration } from './calibration.ts';
import type { MeasuredMember } from '../membership/members.ts';

const compute = { embedMs: 0, blockMs: 1, headMs: 2, attendMs: 0.01 };
const host = measuredMember('host', { compute, callMs: 0.1 });
const phone = measuredMember('a', { compute, callMs: 0.1 });
const members = new Map([host, phone].map((member) => [member.id, member]));
const stages = stagesOf('host:0-2,a:3-6,host:7');

let told: string[];
let nowMs: number;
/** Planned, of each hop. */
let linkMs: number;
let calibration: Calibration;

beforeEach(() => {
  told = [];
  nowMs = 0;
  linkMs = 1.5;
  calibration = createCalibration({
    member: (id) => members.get(id),
    headLayer: 7,
    wireMs: () => linkMs,
    onDrift: () => told.push('drift'),
    onDeparture: () => told.push('departure'),
    nowMs: () => nowMs,
  });
});

/** Laps at position 100, where a block should take 2 ms, with `besideMs` a stage that nothing accounts for. */
function laps(count: number, slower: { host?: number; a?: number } = {}, besideMs = 0): void {
  const { host: hostFactor = 1, a: phoneFactor = 1 } = slower;
  const computed = [4 * hostFactor, 8 * phoneFactor, 2 * hostFactor];
  // What the links say of themselves at the moment is not what the plan counts with: two hops of 1.5 ms.
  const hops = computed.map((computeMs, stage) => ({ stage, queueMs: 0.1, computeMs, wireMs: 9 }));
  const lapMs = hops.reduce((sum, hop) => sum + hop.queueMs + hop.computeMs, 2 * 1.5);
  for (let lap = 0; lap < count; lap++)
    calibration.observe({
      stages,
      position: 100,
      timing: { lapMs: lapMs + besideMs * stages.length, hops },
    });
}

function calibrated({ id, profile }: MeasuredMember) {
  return calibration.calibrated(id, profile);
}

describe('what laps teach', () => {
  it('is nothing before there are a few of them', () => {
    laps(7, { a: 3 }, 1);
    expect(calibrated(phone)).toEqual(phone.profile);
  });

  it('is how much slower each device is than it measured', () => {
    laps(16, { a: 3 });
    expect(calibrated(phone).compute).toMatchObject({
      blockMs: 3,
      headMs: 6,
      attendMs: 0.03,
    });
    expect(calibrated(host).compute).toMatchObject(compute);
    expect(phone.profile.compute).toMatchObject(compute);
  });

  it('is what a stage takes beside computing, on every device', () => {
    laps(16, {}, 0.6);
    for (const member of [host, phone]) expect(calibrated(member).callMs).toBeCloseTo(0.6, 6);
  });

  it('is what part of their planned time links take, until they are measured anew', () => {
    expect(calibration.wireShare('host', 'a')).toBe(1);
    laps(16, {}, -0.4);
    expect(calibration.wireShare('host', 'a')).toBeCloseTo(0.6, 6);
    expect(calibration.wireShare('a', 'host')).toBeCloseTo(0.6, 6);
    expect(calibration.wireShare('host', 'b')).toBe(1);
    for (const member of [host, phone]) expect(calibrated(member).callMs).toBe(0);
    linkMs = 20;
    expect(calibration.wireShare('host', 'a')).toBe(1);
  });

  it('is no time that links are said to take and hops bear out', () => {
    laps(16, {}, 0.6);
    expect(calibration.wireShare('host', 'a')).toBe(1);
  });

  it('is what a lone device takes beside computing, too', () => {
    const hops = [{ stage: 0, queueMs: 0, computeMs: 14, wireMs: 0 }];
    for (let lap = 0; lap < 16; lap++)
      calibration.observe({
        stages: stagesOf('host:0-7'),
        position: 100,
        timing: { lapMs: 14.5, hops },
      });
    expect(calibrated(host).callMs).toBeCloseTo(0.5, 6);
  });

  it('withstands a burst of other work', () => {
    laps(20);
    laps(15, { a: 9 }, 5);
    expect(calibrated(phone).compute.blockMs).toBeCloseTo(1, 6);
    expect(calibrated(phone).callMs).toBeCloseTo(0, 6);
  });

  it('sums up to the usual lap where now one stage and now another takes long', () => {
    for (let lap = 0; lap < 60; lap++) {
      const late = lap % 5;
      const computed = [late < 2 ? 12 : 4, late > 2 ? 16 : 8, 2];
      const hops = computed.map((computeMs, stage) => ({
        stage,
        queueMs: 0,
        computeMs,
        wireMs: 0,
      }));
      const lapMs = computed.reduce((sum, ms) => sum + ms, 2 * 1.5);
      calibration.observe({ stages, position: 100, timing: { lapMs, hops } });
    }
    // Each stage usually takes what makes 17 ms together; but four laps of five take 25.
    expect(calibrated(phone).compute.blockMs).toBe(1);
    expect(17 + stages.length * calibrated(phone).callMs).toBeCloseTo(25, 6);
  });

  it('is forgotten with the device, but for what its laps taught of the others', () => {
    laps(16, { host: 2, a: 3 }, 0.6);
    calibration.forget('a');
    expect(calibrated(phone).compute).toMatchObject(compute);
    expect(calibrated(host).compute.blockMs).toBe(2);
    expect(calibrated(host).callMs).toBeCloseTo(0.6, 6);
  });
});

describe('who hears of it', () => {
  it('has the plan priced once the first laps are known, and not again while nothing changes', () => {
    laps(160);
    expect(told).toEqual(['drift']);
  });

  it('has the plan priced anew where a lap takes longer and no stage does', () => {
    laps(64);
    laps(64, {}, 0.6);
    expect(told).toEqual(['drift', 'drift']);
  });

  it('has the plan priced anew for a small change', () => {
    laps(16);
    laps(64, { a: 1.1 });
    expect(told).toEqual(['drift', 'drift']);
  });

  it('has the room plan anew for a large one, once in each direction', () => {
    laps(16);
    laps(64, { a: 1.5 });
    nowMs += 60_000;
    laps(64, { a: 1.5 });
    laps(64);
    expect(told).toEqual(['drift', 'departure', 'departure']);
  });

  it('has the room plan anew for a device that measured itself anew and became slow again', () => {
    laps(16);
    laps(64, { a: 2 });
    nowMs += 60_000;
    calibration.forget('a');
    laps(16);
    expect(told).toEqual(['drift', 'departure']);
    laps(64, { a: 2 });
    expect(told).toEqual(['drift', 'departure', 'departure']);
  });

  it('leaves layers where they are while a device changes its mind', () => {
    laps(16);
    laps(64, { a: 2 });
    for (let second = 0; second < 4; second++) {
      nowMs += 1000;
      laps(64, { a: second % 2 === 0 ? 1 : 2 });
    }
    expect(told.filter((what) => what === 'departure')).toHaveLength(1);
    nowMs += 1000;
    laps(64);
    expect(told.filter((what) => what === 'departure')).toHaveLength(2);
  });
});
